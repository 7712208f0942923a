//! Random histories held against a mirror and against the policy.

mod histories;
mod policy;
mod searches;
