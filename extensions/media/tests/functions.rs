//! The functions in SQL: documented examples, nulls, wrong use, and files of other programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use hypostyle::arrow::array::{ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray};
use hypostyle::arrow::datatypes::{Float32Type, Int32Type, UInt64Type};
use hypostyle::{Configuration, Registry, Session, row_texts};

/// Files of other programs beside the project; tests that need them skip where they are absent.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/media");

fn session() -> Session {
    let session = Session::new();
    session.extend(hypostyle_media::register);
    session
}

fn shown(session: &Session, sql: &str) -> Result<String, String> {
    let batches =
        session.sql(sql).and_then(|answer| answer.collect_all()).map_err(|error| error.to_string())?;
    let rows = batches.iter().flat_map(|batch| row_texts(batch).unwrap());
    let texts = rows.flatten().map(|text| text.unwrap_or_else(|| "NULL".into()));
    Ok(texts.collect::<Vec<_>>().join(", "))
}

#[test]
fn documented_examples_give_their_results() {
    let mut own = Registry::empty();
    hypostyle_media::register(&mut own);
    let session = session();
    let mut examples = 0;
    for function in own.scalars() {
        assert!(!function.documentation.examples.is_empty(), "{} has no example", function.name);
        for example in &function.documentation.examples {
            let found = shown(&session, &format!("SELECT {}", example.sql));
            assert_eq!(found.as_ref(), Ok(&example.result), "{}", example.sql);
            examples += 1;
        }
    }
    assert!(examples >= own.scalars().len());
}

const IMAGE: &str = "{'width': 2, 'height': 2, 'channels': 1, 'pixels': '\\x00\\x40\\x80\\xFF'::BLOB}";

#[test]
fn nulls_give_nulls_and_bad_files_give_nulls_under_try() {
    let session = session();
    for call in [
        "image_decode(f)",
        "image_metadata(f)",
        "image_to_tensor(f, 2, 2)",
        "image_phash(f)",
        "image_dhash(f)",
        "audio_decode(f)",
        "audio_metadata(f)",
    ] {
        let sql = |call: &str| format!("SELECT {call} FROM (VALUES (NULL::BLOB), ('bad'::BLOB)) t(f)");
        assert_eq!(shown(&session, &sql(&format!("TRY({call})"))), Ok("NULL, NULL".into()), "{call}");
        let error = shown(&session, &sql(call)).unwrap_err();
        assert!(error.contains("argument 1 is no"), "{call}: {error}");
    }
    assert_eq!(shown(&session, "SELECT image_resize(NULL, 2, 2)"), Ok("NULL".into()));
    assert_eq!(shown(&session, "SELECT log_mel(NULL, 16000)"), Ok("NULL".into()));
    assert_eq!(shown(&session, "SELECT audio_resample([]::FLOAT[], 8000, 16000)"), Ok("[]".into()));
    assert_eq!(shown(&session, "SELECT log_mel([]::FLOAT[], 16000)"), Ok("[]".into()));
}

#[test]
fn wrong_use_is_refused_with_what_would_be_right() {
    let session = session();
    let image = |call: &str| call.replace("IMAGE", IMAGE);
    let known = [
        ("image_resize(IMAGE, 0, 2)", "argument 2 must be a number from 1 to 32768"),
        ("image_resize(IMAGE, 2, 2, 'cubic')", "is the filter 'cubic'"),
        ("image_resize(IMAGE, 2, 2, fit => 'crop')", "expected 'stretch' or 'cover'"),
        ("image_decode('x'::BLOB, 'CMYK')", "expected 'L', 'RGB' or 'RGBA'"),
        ("image_crop(IMAGE, 1, 1, 2, 1)", "has 2 x 2 pixels; 2 x 1 from (1, 1) are not inside"),
        ("image_crop(IMAGE, -1, 0, 1, 1)", "not inside"),
        ("image_center_crop(IMAGE, 3, 1)", "its middle of 3 x 1 is not inside"),
        ("image_to_tensor(IMAGE, 2, 2, mean => [0.1, 0.2])", "has 2 elements; expected 1 or 3"),
        ("image_to_tensor(IMAGE, 2, 2, std => [0.0])", "expected numbers above 0"),
        ("image_to_tensor(IMAGE, 2, 2, layout => 'NCHW')", "expected 'CHW' or 'HWC'"),
        ("image_to_tensor(IMAGE, 30000, 30000)", "at most"),
        (
            "image_phash({'width': 2, 'height': 2, 'channels': 1, 'pixels': 'abc'::BLOB})",
            "2 x 2 pixels and 1 channels with 3 values",
        ),
        (
            "image_phash({'width': 0, 'height': 2, 'channels': 1, 'pixels': ''::BLOB})",
            "expected at least one pixel",
        ),
        ("audio_resample([0.0], 0, 8000)", "argument 2 must be a number from 1"),
        ("audio_resample([0.0, NULL], 1, 2)", "holds a null, at sample 1"),
        ("log_mel([0.0], 16000, n_mels => 0)", "argument 3 must be a number from 1 to 1024"),
        ("log_mel([0.0], 16000, f_max => 9000)", "from 0 to 8000"),
        ("log_mel([0.0], 16000, f_min => 5000, f_max => 4000)", "less than the highest"),
        ("log_mel([0.0], 16000, scale => 'bel')", "is the scale 'bel'"),
        ("audio_decode('x'::BLOB, channels => 'left')", "expected 'mono' or 'all'"),
    ];
    for (call, problem) in known {
        let error = shown(&session, &format!("SELECT {}", image(call))).unwrap_err();
        assert!(error.contains(problem), "{call}: {error}");
    }
}

#[test]
fn a_tensor_is_a_resized_image_normalised_in_either_layout() {
    let session = session();
    let sql = format!(
        "SELECT image_to_tensor({IMAGE}, 3, 2, mode => 'L') = [x / 255.0 FOR x IN
         [0, 32, 64, 128, 192, 255]]::FLOAT[6] FROM (SELECT 1)"
    );
    assert_eq!(shown(&session, &sql), Ok("true".into()));
    let two = "{'width': 1, 'height': 2, 'channels': 3, 'pixels': '\\x00\\x33\\xFF\\xFF\\x33\\x00'::BLOB}";
    assert_eq!(
        shown(&session, &format!("SELECT image_to_tensor({two}, 1, 2)")),
        Ok("[0.0, 1.0, 0.2, 0.2, 1.0, 0.0]".into())
    );
    assert_eq!(
        shown(
            &session,
            &format!("SELECT image_to_tensor({two}, 1, 2, layout => 'HWC', mean => [0.0, 0.2, 0.5])")
        ),
        Ok("[0.0, 0.0, 0.5, 1.0, 0.0, -0.5]".into())
    );
}

#[test]
fn batches_and_rows_have_equal_bits_and_nulls_keep_their_places() {
    let sql = "SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE image_to_tensor(image_resize(
           {'width': 2, 'height': 2, 'channels': 1, 'pixels': ('\\x00\\x40\\x80' || chr((65 + i % 26)::INTEGER))::BLOB}, 5, 4), 3, 3) END AS t,
         log_mel([sin(i), cos(i), i / 100.0]::FLOAT[], 8000, n_mels => 4, n_fft => 16, hop => 2) AS m FROM range(200) r(i)";
    let expected = shown(&session(), sql).unwrap();
    for (threads, batch_rows) in [(1, 1), (1, 3), (2, 7)] {
        let session =
            Session::with_configuration(Configuration { threads, batch_rows, ..Configuration::default() });
        session.extend(hypostyle_media::register);
        assert_eq!(
            shown(&session, sql).as_ref(),
            Ok(&expected),
            "{threads} threads, batches of {batch_rows}"
        );
    }
}

/// Registers the files of a folder as a table of names and contents; false where they are absent.
fn files(session: &Session, folder: &str) -> bool {
    let folder = Path::new(DATA).join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no {}", folder.display());
        return false;
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let names: Vec<String> =
        paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let contents: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let columns: [(&str, ArrayRef); 2] = [
        ("name", Arc::new(StringArray::from(names))),
        ("file", Arc::new(BinaryArray::from_iter_values(contents))),
    ];
    session.register("files", vec![RecordBatch::try_from_iter(columns).unwrap()]).unwrap();
    true
}

/// What Pillow 13 and imagehash 4.3 say: size, mean of the values as RGB, both hashes.
const IMAGES: [(&str, i32, i32, f64, u64, u64); 9] = [
    ("bmp_images_rgb24.bmp", 127, 64, 120.953, 0xa0ccd6866b692dec, 0xa5a4a5a7ada4ad9d),
    ("gif_anim_interlaced.gif", 32, 32, 189.957, 0xdda2768910d709f6, 0x0000000000000000),
    ("jpg_exif-xmp-metadata.jpg", 5, 5, 255.0, 0x8000000000000000, 0x0000000000000000),
    ("jpg_portrait_2.jpg", 113, 150, 95.248, 0xd9dfe6d694c09890, 0x68603332b07040f0),
    ("jpg_progressive_cat.jpg", 320, 240, 136.239, 0xdc8243ecce3b30ce, 0xe4c83834249c1040),
    ("png_16bpc_basn6a16.png", 32, 32, 106.25, 0xeec0b331ae8ca333, 0x0080c0e007070100),
    ("png_transparency_tbrn2c08.png", 32, 32, 170.333, 0xef5a94a5cbc28a92, 0x0c0f21533337864d),
    ("webp_lossless_images_simple.webp", 300, 300, 147.346, 0xb366cce131b08fc9, 0x4a284b9e9edb8b19),
    ("webp_lossy_images_simple-rgb.webp", 100, 100, 87.446, 0xcf93326c3d653292, 0x025069d260606008),
];

#[test]
fn images_of_other_programs_are_read_as_pillow_reads_them() {
    let session = session();
    if !files(&session, "images") {
        return;
    }
    let batches = session
        .sql(
            "SELECT m.width AS w, m.height AS h, image_phash(file) AS p, image_dhash(file) AS d,
                    image_to_tensor(file, 8, 8, filter => 'box') AS t, name
             FROM (SELECT name, file, image_metadata(file) AS m FROM files) ORDER BY name",
        )
        .unwrap()
        .collect_all()
        .unwrap();
    let mut row = 0;
    for batch in &batches {
        let integers = |column: usize| batch.column(column).as_primitive::<Int32Type>();
        let hashes = |column: usize| batch.column(column).as_primitive::<UInt64Type>();
        for place in 0..batch.num_rows() {
            let (name, width, height, mean, phash, dhash) = IMAGES[row];
            assert_eq!((integers(0).value(place), integers(1).value(place)), (width, height), "{name}");
            let tensor = batch.column(4).as_fixed_size_list().value(place);
            let tensor = tensor.as_primitive::<Float32Type>().values().to_vec();
            let found =
                tensor.iter().map(|value| f64::from(*value) * 255.0).sum::<f64>() / tensor.len() as f64;
            // Eight by eight boxes of a size that does not divide weigh the edges a little differently.
            assert!((found - mean).abs() < 4.0, "{name}: {found}, {mean}");
            let off = [
                (hashes(2).value(place) ^ phash).count_ones(),
                (hashes(3).value(place) ^ dhash).count_ones(),
            ];
            eprintln!("{name}: mean {found:.2} of {mean}, bits of the hashes that differ {off:?}");
            assert!(off[0] <= 6 && off[1] <= 4, "{name}: {off:?}");
            row += 1;
        }
    }
    assert_eq!(row, IMAGES.len());
}

#[test]
fn sounds_of_other_programs_are_read_as_libsndfile_reads_them() {
    let session = session();
    if !files(&session, "audio") {
        return;
    }
    let rows = |name: &str, what: &str| {
        shown(&session, &format!("SELECT {what} FROM files WHERE name = '{name}'")).unwrap()
    };
    let all = "audio_decode(file, channels => 'all')";
    assert_eq!(
        rows("jfk.flac", "audio_metadata(file)"),
        "{'codec': flac, 'sample_rate': 44100, 'channels': 2, 'frames': 485100, 'seconds': 11.0}"
    );
    assert_eq!(rows("jfk.flac", &format!("len({all}.samples)")), "970200");
    assert_eq!(
        rows("jfk.flac", &format!("round(list_avg(list_transform({all}.samples, x -> abs(x::DOUBLE))), 7)")),
        "0.0773777"
    );
    assert_eq!(
        rows("pcmwaveformat-8bit-44100Hz-mono.wav", &format!("{all}.samples")),
        "[0.1484375, -0.4140625, 0.6953125, -0.9921875]"
    );
    assert_eq!(
        rows("waveformatex-ieeefloat-44100Hz-mono.wav", &format!("{all}.samples")),
        "[2.0, 3.0, -16411.0, 1019.0]"
    );
    assert_eq!(
        rows(
            "pcmwaveformat-16bit-44100Hz-mono.wav",
            &format!("list_transform({all}.samples, x -> x * 32768)")
        ),
        "[2.0, -3.0, 5.0, -7.0]"
    );
    // Whisper's input of 11 seconds at 16 kHz.
    assert_eq!(
        rows(
            "jfk.flac",
            "len(log_mel(audio_decode(file, sample_rate => 16000).samples, 16000, scale => 'whisper'))"
        ),
        "1100"
    );
}
