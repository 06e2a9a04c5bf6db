//! Options of a command line, in any order.

/// The options of one call, by their long names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<(&'static str, String)>);

/// An option that a command knows.
pub struct Known {
    /// Its spellings; the first is its name.
    pub spellings: &'static [&'static str],
    /// How many values follow it.
    pub takes: Takes,
}

/// How many values follow an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// None: it is a switch.
    Nothing,
    /// One.
    One,
    /// All up to the next option, at least one.
    Many,
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Misuse {
    /// No such option, or a word where none belongs.
    Unknown(String),
    /// The option lacks its value.
    Incomplete(String),
}

impl Options {
    /// Reads `args`.
    ///
    /// # Errors
    /// They hold something that is not among `known`.
    pub fn parse(args: &[String], known: &'static [Known]) -> Result<Self, Misuse> {
        let mut options = Self::default();
        let mut args = args.iter().map(String::as_str).peekable();
        while let Some(arg) = args.next() {
            let (name, attached) = match arg.split_once('=') {
                Some((name, value)) if arg.starts_with("--") => (name, Some(value)),
                _ => (arg, None),
            };
            let option = known
                .iter()
                .find(|option| option.spellings.contains(&name))
                .ok_or_else(|| Misuse::Unknown(arg.to_owned()))?;
            let Some(long) = option.spellings.first() else {
                continue;
            };
            let mut values: Vec<&str> = attached.into_iter().collect();
            let wanted = match option.takes {
                Takes::Nothing => 0,
                Takes::One => 1,
                Takes::Many => usize::MAX,
            };
            while attached.is_none()
                && values.len() < wanted
                && let Some(value) = args.next_if(|next| !next.starts_with('-'))
            {
                values.push(value);
            }
            match (option.takes, values.is_empty()) {
                (Takes::Nothing, true) => options.0.push((long, String::new())),
                (Takes::Nothing, false) => return Err(Misuse::Unknown(arg.to_owned())),
                (_, true) => return Err(Misuse::Incomplete(arg.to_owned())),
                _ => options
                    .0
                    .extend(values.into_iter().map(|value| (*long, value.to_owned()))),
            }
        }
        Ok(options)
    }

    /// The last value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of an option.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether an option was given.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
