//! Archives of real stores, brought to other real stores.

mod faults;
mod moves;
mod places;
mod support;
mod under_load;
