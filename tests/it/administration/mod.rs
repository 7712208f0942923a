//! Administration of home: who may, what is done, and what is written down of it.

mod audit;
mod links;
mod machine;
mod people;
mod refusals;
mod registration;
mod tenants;
