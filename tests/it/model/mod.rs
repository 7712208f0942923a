//! Random histories held against a mirror.

mod histories;
