//! The `outrigger` binary: the backend without additions.

fn main() -> std::process::ExitCode {
    outrigger::Outrigger::new().run()
}
