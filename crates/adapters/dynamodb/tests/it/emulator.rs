//! The two emulators of DynamoDB, and tests that are of both.

use std::sync::atomic::{AtomicU32, Ordering};

use outrigger_testkit::{Aws, DynamoDb};

/// An emulator that all tests share, with tables of their own in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Emulator {
    Dynoxide,
    Ministack,
}

impl Emulator {
    /// The URL of a table that nobody else uses and that is not there yet.
    pub(crate) fn fresh_url(self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.url(&format!("fresh-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The URL of this table.
    pub(crate) fn url(self, table: &str) -> String {
        match self {
            Self::Dynoxide => {
                let server = DynamoDb::shared().unwrap();
                server.url_at(server.port(), table)
            }
            Self::Ministack => Aws::shared().unwrap().table_url(table),
        }
    }

    /// Its port.
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Dynoxide => DynamoDb::shared().unwrap().port(),
            Self::Ministack => Aws::shared().unwrap().port(),
        }
    }
}

/// Makes a test on each emulator of each of these functions.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        crate::emulator::on! { dynoxide, Dynoxide, $($name),+ }
        crate::emulator::on! { ministack, Ministack, $($name),+ }
    };
}

macro_rules! on {
    ($module:ident, $emulator:ident, $($name:ident),+) => {
        mod $module {
            use crate::emulator::Emulator;
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(Emulator::$emulator).await;
                }
            )+
        }
    };
}

pub(crate) use {on, on_both};
