//! Rust source as tokens: without comments, and with a lone `"` for each text.

/// A token and the line that it stands in, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// The tokens of a file: identifiers, numbers, lifetimes, `::`, and single characters.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader {
        rest: source,
        line: 1,
        tokens: Vec::new(),
    };
    while reader.next() {}
    reader.tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    /// Reads a token, a comment or white space; false at the end.
    fn next(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(comment(self.rest));
        } else if let Some(length) = text(self.rest) {
            self.push("\"");
            self.skip(length);
        } else if first == '\'' {
            let length = quoted(self.rest);
            self.push("'");
            self.skip(length);
        } else if is_word(first) {
            let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            let word = self.rest[..length].to_owned();
            self.push(&word);
            self.skip(length);
        } else if self.rest.starts_with("::") {
            self.push("::");
            self.skip(2);
        } else {
            if !first.is_whitespace() {
                self.push(&first.to_string());
            }
            self.skip(first.len_utf8());
        }
        true
    }

    fn push(&mut self, text: &str) {
        self.tokens.push(Token {
            text: text.to_owned(),
            line: self.line,
        });
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }
}

/// The length of the block comment that begins here; such comments nest.
fn comment(source: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < source.len() {
        let rest = &source.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length of the string literal that begins here, if one does.
fn text(source: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let rest = source.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let rest = &source[prefix.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if hashes > 0 && !prefix.ends_with('r') {
        return None;
    }
    let body = &rest[hashes + 1..];
    let end = if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        body.find(&end).map(|at| at + end.len())
    } else {
        let mut escaped = false;
        let end = body.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        end.map(|at| at + 1)
    };
    Some(prefix.len() + hashes + 1 + end.unwrap_or(body.len()))
}

/// The length of the character or the lifetime that begins here with `'`.
fn quoted(source: &str) -> usize {
    let mut chars = source.char_indices().skip(1);
    let (_, first) = chars.next().unwrap_or((0, ' '));
    let second = chars.next();
    match (first, second) {
        ('\\', Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            let end = source[after..].find('\'').unwrap_or_default();
            after + end + 1
        }
        (_, Some((at, '\''))) => at + 1,
        _ => {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let rest = &source[1..];
            1 + rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        }
    }
}

/// A function: its name, its line, and how many lines its body has.
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// All functions with a body.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut functions = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || pair[1].text == "(" {
            continue;
        }
        // The signature ends with the body or, in a trait, with a semicolon outside all brackets.
        let mut depth = 0;
        let body = (at..tokens.len()).find(|index| {
            match tokens[*index].text.as_str() {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                _ => {}
            }
            depth <= 0 && ["{", ";"].contains(&tokens[*index].text.as_str())
        });
        let Some(body) = body.filter(|body| tokens[*body].text == "{") else {
            continue;
        };
        let end = closing(tokens, body);
        functions.push(Function {
            name: pair[1].text.clone(),
            line: pair[0].line,
            lines: tokens[end].line - tokens[body].line + 1,
        });
    }
    functions
}

/// The index of the brace that closes the one at `open`.
pub fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len() - 1
}

#[test]
fn comments_and_texts_are_no_tokens() {
    let source = r##"use a::b; // use c;
/* use /* d */ e; */ fn f<'a>(x: &'a str) { r#"use "g""#; "\"h"; '"'; '\''; b"i" }"##;
    let texts: Vec<_> = tokens(source).into_iter().map(|token| token.text).collect();
    let expected = "use a :: b ; fn f < ' > ( x : & ' str ) { \" ; \" ; ' ; ' ; \" }";
    assert_eq!(texts.join(" "), expected);
}

#[test]
fn bodies_are_counted_by_their_braces() {
    let source =
        "fn a();\nfn b(x: [u8; 2]) -> u8\n{\n  match x {\n    _ => 1,\n  }\n}\nfn c() {}\n";
    let found = functions(&tokens(source));
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.name.as_str(), it.line, it.lines))
        .collect();
    assert_eq!(found, [("b", 2, 5), ("c", 8, 1)]);
}
