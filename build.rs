//! Builds again when a file is added to the folder that the binary carries.

fn main() {
    println!("cargo::rerun-if-changed=static");
}
