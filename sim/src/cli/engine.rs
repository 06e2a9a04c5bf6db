//! The engines as words on the command line.

use clap::{ValueEnum, builder::PossibleValue};

use crate::engine::Engine;

impl ValueEnum for Engine {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Lapse, Self::Turmoil, Self::Live]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Lapse => "Event-driven: virtual time costs nothing",
            Self::Turmoil => {
                "The independent second opinion: a runtime per host, a tick per millisecond"
            }
            Self::Live => {
                "The sockets and the clock of this machine, loopback only: a minute takes a minute"
            }
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}
