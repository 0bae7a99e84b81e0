//! Compiles the scenarios, which include the headers themselves. Exceptions are on, because a finding of loom is a
//! panic that passes through C++.

fn main() {
    let include = "../../include";
    for source in ["scenarios.cpp", "loom_memory.hpp", "../../include/cueline"] {
        println!("cargo:rerun-if-changed={source}");
    }
    println!("cargo:rerun-if-env-changed=CXX");
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .include(include)
        .flag("-Wall")
        .flag("-Wextra")
        .flag("-Werror")
        .opt_level(2)
        .file("scenarios.cpp")
        .compile("scenarios");
}
