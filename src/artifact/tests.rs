//! Damaged, foreign and later files are clear errors, and whatever can be read is what was written.

use std::sync::Arc;

use arrow::buffer::Buffer;
use hypostyle_engine::Context;
use hypostyle_functions::Value;
use hypostyle_planner::transform::Fitted;

use super::members::Members;
use super::pack::{Sealed, packed};
use super::read::{from_bytes, of_buffer};
use super::write::members;
use super::{BLOCK_BYTES, MANIFEST, Manifest, PLAN, VERSION, digest, golden};
use crate::Session;

fn fitted() -> (Session, Arc<Fitted>) {
    let session = Session::new();
    let source = "(SELECT i AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE sin(i) END AS x, 'c' || i % 7 AS c, ['t' || i % 3] AS tags, \
                  DATE '2024-01-01' AS day, (i % 2 = 0) AS y, 1.50 AS price FROM range(200) t(i))";
    let definition = "SELECT id, standard_scale(impute(x)) AS x, quantile_bucketize(x, 8) AS bucket, vocab_encode(c, oov => 4) AS c, \
                      multi_hot(tags) AS tags, target_encode(c, y::INTEGER, key => id, folds => 2) AS target, \
                      date_part('year', day) AS year, standard_scale(price) AS price, upper(c) AS upper FROM input";
    let transform = session.fit(definition, source).unwrap();
    let fitted = Arc::clone(transform.fitted());
    (session, fitted)
}

fn written(session: &Session, fitted: &Fitted) -> (Vec<u8>, Arc<Context>) {
    let context = session.context();
    (packed(&members("features", "SELECT ..", fitted, &context).unwrap()).unwrap(), context)
}

fn pack(parts: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let sealed = parts.into_iter().map(|(name, bytes)| Sealed::new(name, bytes.into()));
    packed(&sealed.collect::<Vec<_>>()).unwrap()
}

/// The members of a file, changed and written again with right digests.
fn changed(bytes: &[u8], change: impl FnOnce(&mut Manifest, &mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut members = Members::open(bytes).unwrap();
    let mut manifest: Manifest = serde_json::from_slice(&members.read(MANIFEST).unwrap()).unwrap();
    let names: Vec<String> = manifest.members.iter().map(|member| member.name.clone()).collect();
    let mut parts: Vec<(String, Vec<u8>)> =
        names.into_iter().map(|name| (name.clone(), members.read(&name).unwrap())).collect();
    change(&mut manifest, &mut parts);
    for (name, bytes) in &parts {
        if let Some(member) = manifest.members.iter_mut().find(|member| member.name == *name) {
            member.bytes = bytes.len() as u64;
            member.sha256 = digest(bytes);
        }
    }
    parts.insert(0, (MANIFEST.to_owned(), serde_json::to_vec(&manifest).unwrap()));
    pack(parts)
}

fn refusal(bytes: &[u8], context: &Arc<Context>) -> String {
    from_bytes(bytes, context).map(|_| ()).unwrap_err()
}

#[test]
fn what_is_written_is_read_back() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    let (manifest, read) = from_bytes(&bytes, &context).unwrap();
    assert_eq!(manifest.name, "features");
    assert!(read == *fitted);
    assert!(manifest.functions.iter().any(|(name, _)| name == "vocab_lookup"));
    assert_eq!(bytes, written(&session, &fitted).0, "two writes of one transform are the same bytes");
}

#[test]
fn windows_make_a_file_of_the_second_version_and_are_verified() {
    let session = Session::new();
    let definition = "SELECT sum(x + 1) OVER (PARTITION BY c ORDER BY id ROWS 3 PRECEDING) AS x, lag(c) OVER (ORDER BY id) AS c FROM input";
    let source = "(SELECT i AS id, i::DOUBLE AS x, 'c' || i % 3 AS c FROM range(9) t(i))";
    let transform = session.fit(definition, source).unwrap();
    let (bytes, context) = written(&session, transform.fitted());
    let (manifest, read) = from_bytes(&bytes, &context).unwrap();
    assert!((manifest.version, &read) == (2, &**transform.fitted()));
    let (plain, fitted) = fitted();
    assert_eq!(from_bytes(&written(&plain, &fitted).0, &context).unwrap().0.version, 1);
    for (from, to) in [
        ("\"index\": 0", "\"index\": 7"),
        ("\"function\": \"sum\"", "\"function\": \"no_sum\""),
        ("\"order\": 0", "\"order\": 1"),
        ("\"history\": \"c_history\"", "\"history\": \"id\""),
        ("\"limit\": null", "\"limit\": {\"rows\": 1, \"with_ties\": false}"),
        ("\"texts\": [", "\"texts\": [\"more\", "),
    ] {
        let other = changed(&bytes, |_, parts| {
            let (_, plan) = parts.iter_mut().find(|(name, _)| name == PLAN).unwrap();
            let text = String::from_utf8(plan.clone()).unwrap();
            assert!(text.contains(from), "{from} in {text}");
            *plan = text.replacen(from, to, 1).into_bytes();
        });
        assert!(from_bytes(&other, &context).is_err(), "{to}");
    }
}

#[test]
fn lists_that_were_fitted_stand_in_statistics_alone() {
    let (session, fitted) = fitted();
    let (bytes, _) = written(&session, &fitted);
    let mut members = Members::open(&bytes).unwrap();
    let plan = String::from_utf8(members.read(PLAN).unwrap()).unwrap();
    assert!(!plan.contains("\"c6\""), "{plan}");
    assert!(members.names().unwrap().iter().any(|name| name.ends_with("vocab_encode_keys.arrow")));
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    for length in (0..bytes.len()).step_by(211) {
        assert!(from_bytes(&bytes[..length], &context).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn a_changed_bit_is_refused_or_changes_nothing() {
    let (session, fitted) = fitted();
    let (mut bytes, context) = written(&session, &fitted);
    let mut refused = 0;
    for place in (0..bytes.len()).step_by(97) {
        let bit = 1 << (place % 8);
        bytes[place] ^= bit;
        match from_bytes(&bytes, &context) {
            Ok((_, read)) => assert!(read == *fitted, "byte {place}"),
            Err(_) => refused += 1,
        }
        bytes[place] ^= bit;
    }
    assert!(refused > bytes.len() / 97 / 2);
}

#[test]
fn other_files_are_refused() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    assert!(refusal(b"PAR1 is no zip", &context).contains("the file is no transform, or is damaged"));
    let foreign = pack(vec![("word/document.xml".to_owned(), b"<xml/>".to_vec())]);
    assert!(refusal(&foreign, &context).contains("the file is no transform"));
    let other = changed(&bytes, |manifest, _| manifest.format = "another engine".to_owned());
    assert_eq!(refusal(&other, &context), "the file is \"another engine\"; expected \"hypostyle transform\"");
    let later = changed(&bytes, |manifest, _| manifest.version = VERSION + 1);
    assert_eq!(
        refusal(&later, &context),
        "the transform has version 3, of a later release; this release reads up to version 2"
    );
}

#[test]
fn functions_that_are_missing_or_have_another_meaning_are_named() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    let missing = changed(&bytes, |manifest, _| manifest.functions.push(("own_function".to_owned(), 1)));
    assert!(
        refusal(&missing, &context)
            .contains("calls the function own_function, which this session does not have")
    );
    let newer = changed(&bytes, |manifest, _| {
        manifest.functions.iter_mut().for_each(|(_, version)| *version += 1);
    });
    assert!(refusal(&newer, &context).contains("this session has version 1"));
}

#[test]
fn members_that_contradict_each_other_are_refused() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    let lost = changed(&bytes, |manifest, parts| {
        parts.retain(|(name, _)| !name.contains("vocab_encode_keys"));
        manifest.members.retain(|member| !member.name.contains("vocab_encode_keys"));
    });
    assert!(refusal(&lost, &context).contains("has no member statistics/"));
    let stray = changed(&bytes, |_, parts| parts.push(("extra".to_owned(), vec![1])));
    assert_eq!(refusal(&stray, &context), "member extra is not in the manifest");
    let swapped = changed(&bytes, |_, parts| {
        let output = parts.iter().find(|(name, _)| name == "schema/output.arrow").unwrap().1.clone();
        parts.iter_mut().find(|(name, _)| name == "schema/input.arrow").unwrap().1 = output;
    });
    assert!(refusal(&swapped, &context).contains("its columns are not those of the plan"));
    let wrong = changed(&bytes, |_, parts| {
        let plan = parts.iter_mut().find(|(name, _)| name == PLAN).unwrap();
        let text = String::from_utf8(plan.1.clone()).unwrap();
        plan.1 = text.replacen("\"function\": \"upper\"", "\"function\": \"lower\"", 1).into_bytes();
    });
    assert!(
        refusal(&wrong, &context).contains("the golden rows do not hold"),
        "{}",
        refusal(&wrong, &context)
    );
    let broken = changed(&bytes, |_, parts| {
        let plan = parts.iter_mut().find(|(name, _)| name == PLAN).unwrap();
        let text = String::from_utf8(plan.1.clone()).unwrap();
        plan.1 = text.replacen("\"index\": 0", "\"index\": 77", 1).into_bytes();
    });
    assert!(refusal(&broken, &context).contains("the plan reads column 77"));
}

#[test]
fn a_transform_without_inputs_is_written_and_read() {
    let session = Session::new();
    let transform = session.fit("SELECT 1 + 1 AS two, 'a' AS a FROM input", "(SELECT 1 AS x)").unwrap();
    let (bytes, context) = written(&session, transform.fitted());
    assert!(from_bytes(&bytes, &context).unwrap().1 == **transform.fitted());
    let other = changed(&bytes, |_, parts| {
        let plan = parts.iter_mut().find(|(name, _)| name == PLAN).unwrap();
        let text = String::from_utf8(plan.1.clone()).unwrap();
        assert!(text.contains("\"Text\": \"a\""), "{text}");
        plan.1 = text.replacen("\"Text\": \"a\"", "\"Text\": \"b\"", 1).into_bytes();
    });
    assert!(refusal(&other, &context).contains("the golden rows do not hold"));
}

#[test]
fn tables_of_characters_are_compared_where_outputs_read_them() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    let mut tables = Vec::new();
    let other = changed(&bytes, |manifest, _| {
        tables = manifest.tables.iter().map(|(table, _)| table.clone()).collect();
        manifest.tables.iter_mut().for_each(|(_, version)| *version = "1.0".to_owned());
    });
    assert_eq!(tables, ["unicode"], "no output reads instants");
    assert!(
        refusal(&other, &context).contains("version 1.0 of the table \"unicode\"; this release has version")
    );
}

/// Changes inside members, under digests that hold: what the zip and the digests would have refused.
#[test]
fn damaged_members_with_right_digests_are_refused_or_run() {
    let (session, fitted) = fitted();
    let (bytes, context) = written(&session, &fitted);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    let mut refused = 0;
    for _ in 0..400 {
        let damaged = changed(&bytes, |_, parts| {
            let count = parts.len();
            let part = &mut parts[below(count)].1;
            for _ in 0..=below(3) {
                let place = below(part.len());
                match below(4) {
                    0 => part[place] = below(256) as u8,
                    1 => part[place] ^= 1 << below(8),
                    2 => part.truncate(place.max(1)),
                    _ => part.insert(place, b'9'),
                }
            }
        });
        refused += usize::from(from_bytes(&damaged, &context).is_err());
    }
    assert!(refused > 200, "{refused} of 400 were refused");
}

/// A transform with vocabularies that are long enough to be indexed in its file.
fn long() -> (Session, Arc<Fitted>) {
    let session = Session::new();
    let source = "(SELECT 'word ' || i % 3000 AS word, i % 2000 AS id FROM range(9000) t(i))";
    let definition = "SELECT vocab_encode(word, oov => 2) AS word, count_encode(id) AS id, label_encode(word) AS label FROM input";
    let transform = session.fit(definition, source).unwrap();
    let fitted = Arc::clone(transform.fitted());
    (session, fitted)
}

#[test]
fn members_that_are_used_in_place_give_what_was_fitted() {
    let (session, fitted) = long();
    let (bytes, context) = written(&session, &fitted);
    let mut members = Members::open(&bytes).unwrap();
    let names = members.names().unwrap();
    assert_eq!(names.iter().filter(|name| name.starts_with("index/")).count(), 3, "{names:?}");
    assert!(names.iter().all(|name| members.place(name).unwrap().start.is_multiple_of(64)));
    let rows = golden::rows(&fitted);
    let expected = golden::evaluate(&fitted, &rows, &context).unwrap();
    for large_bytes in [0, usize::MAX] {
        let (_, read) = of_buffer(&Buffer::from(bytes.as_slice()), large_bytes, &context).unwrap();
        assert!(read == *fitted);
        assert_eq!(golden::evaluate(&read, &rows, &context).unwrap(), expected);
    }
    // A file that begins at no multiple of 8 is read too.
    let mut shifted = vec![0];
    shifted.extend_from_slice(&bytes);
    let shifted = Buffer::from(shifted).slice(1);
    assert!(of_buffer(&shifted, 0, &context).unwrap().1 == *fitted);
}

#[test]
fn damage_to_members_that_are_used_in_place_is_an_error_or_other_values() {
    let (session, fitted) = long();
    let (bytes, context) = written(&session, &fitted);
    let rows = golden::rows(&fitted);
    let mut members = Members::open(&bytes).unwrap();
    let (mut refused, mut read) = (0, 0);
    for name in members.names().unwrap() {
        if !name.starts_with("statistics/") && !name.starts_with("index/") {
            continue;
        }
        let place = members.place(&name).unwrap();
        let ends = (0..8).chain((place.len().saturating_sub(700)..place.len()).step_by(11));
        for at in ends.chain((0..place.len()).step_by(2003)).filter(|at| *at < place.len()) {
            for change in [1u8, 0x80] {
                let mut damaged = bytes.clone();
                damaged[place.start + at] ^= change;
                match of_buffer(&Buffer::from(damaged), 0, &context) {
                    Ok((_, fitted)) => {
                        read += 1;
                        drop(golden::evaluate(&fitted, &rows, &context));
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 20 && read > 20, "{refused} refused, {read} read");
    let mut damaged = bytes.clone();
    let index = members.names().unwrap().into_iter().find(|name| name.starts_with("index/")).unwrap();
    damaged[members.place(&index).unwrap()].fill(0xff);
    let problem = of_buffer(&Buffer::from(damaged.as_slice()), 0, &context).map(drop).unwrap_err();
    assert!(problem.contains("the golden rows do not hold"), "{problem}");
    assert!(refusal(&damaged, &context).contains("its digest is another one"));
}

#[test]
fn a_damaged_block_of_a_large_member_is_named_where_it_is_looked_at() {
    let session = Session::new();
    let source = "(SELECT 'entry ' || i AS word FROM range(180000) t(i))";
    let transform = session.fit("SELECT vocab_encode(word) AS word FROM input", source).unwrap();
    let (bytes, context) = written(&session, transform.fitted());
    let mut members = Members::open(&bytes).unwrap();
    let index = members.names().unwrap().into_iter().find(|name| name.starts_with("index/")).unwrap();
    let place = members.place(&index).unwrap();
    assert!(place.len() > 2 * BLOCK_BYTES);
    let problems = |at: usize| {
        let mut damaged = bytes.clone();
        damaged[place.start + at] ^= 4;
        let in_place = of_buffer(&Buffer::from(damaged.as_slice()), BLOCK_BYTES, &context).map(drop);
        (in_place.err(), refusal(&damaged, &context))
    };
    let last = place.len() / BLOCK_BYTES * BLOCK_BYTES;
    for (at, from, to) in [(5, 0, BLOCK_BYTES), (place.len() - 1, last, place.len())] {
        let expected =
            format!("member {index} is damaged: its bytes {from} to {to} are others than were written");
        assert_eq!(problems(at), (Some(expected.clone()), expected));
    }
    // What lies between is told by who reads all of it.
    let (_, verified) = problems(BLOCK_BYTES + 77);
    assert!(verified.contains("its bytes 1048576 to 2097152 are others"), "{verified}");
    let changed_list = changed(&bytes, |manifest, _| {
        let member = manifest.members.iter_mut().find(|member| member.name == index).unwrap();
        member.blocks.pop();
    });
    let problem = of_buffer(&Buffer::from(changed_list), BLOCK_BYTES, &context).map(drop).unwrap_err();
    assert!(problem.contains("blocks; the manifest has checksums of"), "{problem}");
}

#[test]
fn a_damaged_block_of_a_vocabulary_is_an_error_of_the_lookup_that_touches_it() {
    let session = Session::new();
    let source = "(SELECT 'entry ' || i || repeat(' ', 40) AS word FROM range(180000) t(i))";
    let transform = session.fit("SELECT vocab_encode(word) AS word FROM input", source).unwrap();
    let (bytes, context) = written(&session, transform.fitted());
    let mut members = Members::open(&bytes).unwrap();
    let names = members.names().unwrap().into_iter().filter(|name| {
        name.starts_with("index/") || name.contains("_keys") && name.starts_with("statistics/")
    });
    let words = |count: usize, step: usize| -> Vec<Vec<Value>> {
        let word = |i: usize| vec![Value::text(format!("entry {}{}", i * step, " ".repeat(40)))];
        (0..count).map(word).collect()
    };
    let (few, all) = (words(3, 1), words(1000, 180));
    let (mut lazy, mut spared) = (0, 0);
    for name in names {
        let place = members.place(&name).unwrap();
        for start in (0..place.len()).step_by(BLOCK_BYTES) {
            let end = place.len().min(start + BLOCK_BYTES);
            let mut damaged = bytes.clone();
            damaged[place.start + (start + end) / 2] ^= 1;
            let expected = format!("its bytes {start} to {end} are others than were written");
            let problem = match of_buffer(&Buffer::from(damaged), BLOCK_BYTES, &context) {
                Err(problem) => problem,
                Ok((_, fitted)) => {
                    lazy += 1;
                    spared += usize::from(golden::evaluate(&fitted, &few, &context).is_ok());
                    golden::evaluate(&fitted, &all, &context).map(drop).unwrap_err().to_string()
                }
            };
            assert!(problem.contains(&expected) && problem.contains(&name), "{name} at {start}: {problem}");
        }
    }
    // Blocks that neither the golden rows nor the lookups touch are not looked at.
    assert!(lazy > 0 && spared > 0, "{lazy} {spared}");
}
