//! Tests.
mod packet;
mod packet_oracle;
mod packet_properties;
