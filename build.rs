//! Builds again when a file is added to the folders that the binary carries.

fn main() {
    println!("cargo::rerun-if-changed=static");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=vendor/swagger-ui");
}
