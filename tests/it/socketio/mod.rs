//! Socket.IO packets, namespaces, rooms, acknowledgements and recovery.

pub(crate) mod answers;
pub(crate) mod connect;
pub(crate) mod cookies;
pub(crate) mod events;
pub(crate) mod overflow;
pub(crate) mod packet;
pub(crate) mod packet_oracle;
pub(crate) mod packet_properties;
pub(crate) mod private_id;
pub(crate) mod recovery;
pub(crate) mod rooms;
pub(crate) mod stats;
