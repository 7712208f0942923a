//! Socket.IO packets, namespaces, rooms, acknowledgements and recovery.

mod answers;
mod connect;
mod cookies;
mod events;
mod overflow;
mod packet;
mod packet_oracle;
mod packet_properties;
mod pipelining;
mod private_id;
mod recovery;
mod rooms;
mod stats;
