//! Compiles the crate anew when a file is added to or taken from the directories that are built in.

fn main() {
    println!("cargo::rerun-if-changed=assets");
}
