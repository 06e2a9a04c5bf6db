//! Descriptions of the schema as parts of sentences.

/// A description as the continuation of a line: its first word in lower case, if it is a word.
pub(crate) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), letters.next());
    let is_word = second.is_none_or(|letter| letter.is_lowercase() || letter == ' ');
    let text = text.trim_end_matches('.').replace('\n', " ");
    match first {
        Some(first) if is_word => {
            first.to_lowercase().collect::<String>() + &text[first.len_utf8()..]
        }
        _ => text,
    }
}
