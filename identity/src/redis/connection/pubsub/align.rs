//! The overlap of two connections that were subscribed to the same names for a while.

use super::message::Message;

/// Returns how many of the first messages of the new connection (`head`) are the last messages of
/// the old one (`tail`). At least `at_least` of them are.
///
/// The server sends every message to both connections in the same order, so the end of `tail`
/// equals the beginning of `head`. If identical messages allow several lengths, the shortest is
/// returned: a message is rather delivered twice than lost. `None` when no length fits, because the
/// order was not the same.
pub(super) fn overlap(tail: &[Message], head: &[Message], at_least: usize) -> Option<usize> {
    (at_least..=tail.len().min(head.len()))
        .find(|count| tail.get(tail.len() - count..) == head.get(..*count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Message, overlap};

    fn messages(texts: impl IntoIterator<Item = u8>) -> Vec<Message> {
        let message = |text| Message {
            channel: b"c".to_vec(),
            pattern: None,
            payload: vec![text],
        };
        texts.into_iter().map(message).collect()
    }

    #[test]
    fn the_overlap_is_where_the_end_is_the_beginning() {
        let (tail, head) = (messages([1, 2, 3, 4]), messages([3, 4, 5]));
        assert_eq!(overlap(&tail, &head, 1), Some(2));
        assert_eq!(overlap(&tail, &messages([5, 6]), 0), Some(0));
        assert_eq!(overlap(&messages([]), &messages([5, 6]), 0), Some(0));
        assert_eq!(overlap(&tail, &messages([4, 3]), 2), None, "another order");
        // Rather twice than never.
        assert_eq!(overlap(&messages([7, 7, 7]), &messages([7, 7]), 1), Some(1));
    }

    proptest! {
        /// Whatever is published, and whenever either connection begins and ends: nothing is lost,
        /// and different messages come once and in order.
        #[test]
        fn nothing_is_lost(
            published in prop::collection::vec(any::<u8>(), 0..30),
            cuts in prop::array::uniform2(0_usize..31),
            distinct in any::<bool>(),
        ) {
            let published: Vec<u8> = match distinct {
                true => (0..published.len()).map(|n| n as u8).collect(),
                false => published.into_iter().map(|byte| byte % 3).collect(),
            };
            let end = published.len();
            let (subscribed, unsubscribed) = (cuts[0].min(cuts[1]).min(end), cuts[0].max(cuts[1]).min(end));
            let tail = messages(published[..unsubscribed].iter().copied());
            let head = messages(published[subscribed..].iter().copied());
            let truth = unsubscribed - subscribed;
            for at_least in 0..=truth {
                let count = overlap(&tail, &head, at_least).unwrap();
                prop_assert!(count <= truth, "lost {}", count - truth);
                if distinct && at_least > 0 {
                    prop_assert_eq!(count, truth);
                }
            }
            prop_assert_eq!(overlap(&tail, &head, truth), Some(truth));
        }
    }
}
