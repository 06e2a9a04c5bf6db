//! Replies and requests: round trips, pieces, and the crate `redis-protocol` as a second opinion.
#![expect(
    clippy::disallowed_methods,
    reason = "the corpus of the fuzz target is a folder"
)]

use std::{collections::BTreeMap, fs, path::Path};

use bytes::Bytes;
use proptest::prelude::*;
use redis_protocol::{
    resp2::{decode as decode2, types::OwnedFrame as Frame2},
    resp3::{
        decode::complete as decode3,
        encode::complete as encode3,
        types::{OwnedFrame as Frame3, Resp3Frame as _},
    },
};

use super::{Protocol, Reply, read, request, survives};

fn text() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

/// Replies as our server writes them; the keys of maps and the members of sets differ.
fn reply() -> impl Strategy<Value = Reply> {
    let line = "[ -~]{0,12}";
    let leaf = prop_oneof![
        line.prop_map(|line| Reply::Simple(line.into())),
        "[A-Z]{1,8} [ -~]{1,12}".prop_map(Reply::error),
        any::<i64>().prop_map(Reply::Int),
        text().prop_map(Reply::Bulk),
        Just(Reply::Null),
        any::<bool>().prop_map(Reply::Bool),
        (-1e15f64..1e15).prop_map(Reply::Double),
        "[ -~]{0,12}".prop_map(|text: String| Reply::Verbatim(text.into())),
        prop::collection::btree_set(text(), 0..4)
            .prop_map(|set| Reply::Set(set.into_iter().map(Reply::Bulk).collect())),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Reply::Array),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(|pairs| {
                Reply::Map(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (Reply::Bulk(key), value))
                        .collect(),
                )
            }),
        ]
    })
}

fn written(reply: &Reply, protocol: Protocol) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.write(protocol, &mut bytes);
    bytes
}

/// What the other crate has read, as ours; sets and maps in order.
fn of_frame3(frame: Frame3) -> Reply {
    let sorted = |mut items: Vec<Reply>| {
        items.sort_by_key(|item| written(item, Protocol::Resp3));
        items
    };
    match frame {
        Frame3::SimpleString { data, .. } => {
            Reply::Simple(String::from_utf8_lossy(&data).into_owned().into())
        }
        Frame3::SimpleError { data, .. } => Reply::error(data),
        Frame3::Number { data, .. } => Reply::Int(data),
        Frame3::BlobString { data, .. } => Reply::Bulk(data.into()),
        Frame3::Null => Reply::Null,
        Frame3::Boolean { data, .. } => Reply::Bool(data),
        Frame3::Double { data, .. } => Reply::Double(data),
        Frame3::VerbatimString { data, .. } => Reply::Verbatim(data.into()),
        Frame3::Array { data, .. } => Reply::Array(data.into_iter().map(of_frame3).collect()),
        Frame3::Push { data, .. } => Reply::Push(data.into_iter().map(of_frame3).collect()),
        Frame3::Set { data, .. } => {
            let items = data.into_iter().map(of_frame3).collect();
            Reply::Set(sorted(items))
        }
        Frame3::Map { data, .. } => {
            let pairs = data
                .into_iter()
                .map(|(key, value)| (of_frame3(key), of_frame3(value)));
            let pairs: BTreeMap<Vec<u8>, (Reply, Reply)> = pairs
                .map(|pair| (written(&pair.0, Protocol::Resp3), pair))
                .collect();
            Reply::Map(pairs.into_values().collect())
        }
        other => panic!("our server never writes {other:?}"),
    }
}

/// Ours in the same order.
fn in_order(reply: Reply) -> Reply {
    match reply {
        Reply::Array(items) => Reply::Array(items.into_iter().map(in_order).collect()),
        Reply::Set(mut items) => {
            items.sort_by_key(|item| written(item, Protocol::Resp3));
            Reply::Set(items)
        }
        Reply::Map(pairs) => {
            let pairs: BTreeMap<Vec<u8>, (Reply, Reply)> = pairs
                .into_iter()
                .map(|(key, value)| (written(&key, Protocol::Resp3), (key, in_order(value))))
                .collect();
            Reply::Map(pairs.into_values().collect())
        }
        other => other,
    }
}

/// As RESP2 can say it.
fn of_frame2(frame: Frame2) -> Reply {
    match frame {
        Frame2::SimpleString(line) => {
            Reply::Simple(String::from_utf8_lossy(&line).into_owned().into())
        }
        Frame2::Error(line) => Reply::error(line),
        Frame2::Integer(number) => Reply::Int(number),
        Frame2::BulkString(text) => Reply::Bulk(text.into()),
        Frame2::Array(items) => Reply::Array(items.into_iter().map(of_frame2).collect()),
        Frame2::Null => Reply::Null,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(reply in reply()) {
        let bytes = written(&reply, Protocol::Resp3);
        prop_assert_eq!(read::reply(&bytes), Ok(Some((reply, bytes.len()))));
        for end in 0..bytes.len() {
            prop_assert_eq!(read::reply(&bytes[..end]), Ok(None), "cut at {}", end);
        }
    }

    #[test]
    fn another_reader_reads_the_same(reply in reply()) {
        let bytes = written(&reply, Protocol::Resp3);
        let (frame, used) = decode3::decode(&bytes).expect("RESP3").expect("all of it");
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(of_frame3(frame.clone()), in_order(reply.clone()));
        let mut theirs = vec![0; frame.encode_len(false)];
        let length = encode3::encode(&mut theirs, &frame, false).expect("it fits");
        theirs.truncate(length);
        let (again, _) = read::reply(&theirs).expect("RESP3").expect("all of it");
        prop_assert_eq!(in_order(again), in_order(reply.clone()));

        let bytes = written(&reply, Protocol::Resp2);
        let (frame, used) = decode2::decode(&bytes).expect("RESP2").expect("all of it");
        prop_assert_eq!(used, bytes.len());
        let (ours, _) = read::reply(&bytes).expect("RESP2").expect("all of it");
        prop_assert_eq!(of_frame2(frame), ours);
    }

    #[test]
    fn requests_are_the_same_in_any_pieces(
        wanted in prop::collection::vec(prop::collection::vec(text(), 1..5), 1..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let array = |args: &Vec<Bytes>| Reply::Array(args.iter().cloned().map(Reply::Bulk).collect());
        let bytes: Vec<u8> =
            wanted.iter().flat_map(|args| written(&array(args), Protocol::Resp2)).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let mut from = 0;
        let pieces: Vec<&[u8]> = ends
            .map(|end| {
                let piece = &bytes[from..end];
                from = end;
                piece
            })
            .collect();
        prop_assert_eq!(request::all(&pieces, true), (wanted, None));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn what_looks_like_resp_is_survived(
        text in "[*$:+_%~>#,=()|!-]([0-9]{1,3}|-1|t|txt:a)(\r\n[*$:+_%~>#,=a-]([0-9]{0,2})){0,20}(\r\n)?",
        cut in any::<u8>(),
    ) {
        survives(&[&[cut], text.as_bytes()].concat());
    }
}

#[test]
fn resp_survives_its_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/resp");
    let files: Vec<_> = fs::read_dir(folder)
        .expect("the corpus")
        .map(|file| file.expect("a file").path())
        .collect();
    assert!(files.len() > 5, "there is a corpus");
    for file in files {
        survives(&fs::read(&file).expect("a file"));
    }
}

#[test]
fn nothing_is_kept_ready_for_what_a_client_only_claims() {
    let mut requests = super::Requests::default();
    requests.feed(b"*2147483647\r\n$67108864\r\nx");
    assert_eq!(requests.next(true), Ok(None));
    assert_eq!(requests.waiting(), 1);
    let much = vec![b'x'; 70_000];
    let (_, error) = request::all(&[b"*1\r\n$", &much], true);
    let error = error.expect("too long a line");
    assert_eq!(error.0, "Protocol error: too big bulk count string");
    let (_, error) = request::all(&[&much], true);
    assert_eq!(
        error.expect("too long a line").0,
        "Protocol error: too big inline request"
    );
    let (_, error) = request::all(&[b"*", &much], true);
    assert_eq!(
        error.expect("too long a line").0,
        "Protocol error: too big mbulk count string"
    );
}

#[test]
fn limits_depend_on_the_login() {
    let long = [b"*1\r\n$16385\r\n".as_slice(), &[b'x'; 16_385], b"\r\n"].concat();
    assert_eq!(request::all(&[&long], true).0.len(), 1);
    let error = request::all(&[&long], false).1.expect("refused");
    assert_eq!(error.0, "Protocol error: unauthenticated bulk length");
    let error = request::all(&[b"*11\r\n"], false).1.expect("refused");
    assert_eq!(error.0, "Protocol error: unauthenticated multibulk length");
    assert_eq!(request::all(&[b"*11\r\n"], true), (Vec::new(), None));
}
