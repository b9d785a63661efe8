//! Everything that needs the emulator: by this name it is left out where there is none.

mod faults;
mod interposer;
mod migrations;
mod rotation;
mod suite;
