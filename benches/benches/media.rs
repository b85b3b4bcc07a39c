//! Images and sound in memory: pixels of the input, or samples, a second on one thread.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle::arrow::array::{ArrayRef, BinaryArray, Int32Array, RecordBatch, StructArray};
use hypostyle::arrow::datatypes::{DataType, Field};
use hypostyle::{Configuration, Prepared, Session};
use hypostyle_benches::FlameGraph;

/// Images of a table, so that inputs rotate through the caches.
const IMAGES: usize = 8;

/// Eleven seconds at 16 kHz.
const SAMPLES: u64 = 176_000;

fn session() -> Session {
    let session = Session::with_configuration(Configuration { threads: 1, ..Configuration::default() });
    session.extend(hypostyle_media::register);
    session
}

/// A table of one column of images, with other noise in each.
fn register_images(session: &Session, width: i32, height: i32) {
    let bytes = (width * height * 3) as usize;
    let noise = |image: usize| (0..bytes).map(move |i| ((i + image).wrapping_mul(2_654_435_761) >> 13) as u8);
    let pixels = BinaryArray::from_iter_values((0..IMAGES).map(|image| noise(image).collect::<Vec<u8>>()));
    let size = |name: &str, value: i32| {
        let column: ArrayRef = Arc::new(Int32Array::from(vec![value; IMAGES]));
        (Arc::new(Field::new(name, DataType::Int32, true)), column)
    };
    let images = StructArray::from(vec![
        size("width", width),
        size("height", height),
        size("channels", 3),
        (Arc::new(Field::new("pixels", DataType::Binary, true)), Arc::new(pixels) as ArrayRef),
    ]);
    let batch = RecordBatch::try_from_iter([("image", Arc::new(images) as ArrayRef)]).expect("a batch");
    session.register("images", vec![batch]).expect("a table");
}

fn drained(prepared: &Prepared) -> u64 {
    prepared.run(&[]).and_then(|answer| answer.drain()).expect("an answer")
}

fn images(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("image");
    group.sample_size(10);
    for (width, height) in [(1000, 750), (4000, 3000)] {
        let session = session();
        register_images(&session, width, height);
        let pixels = (width * height) as u64 * IMAGES as u64;
        group.throughput(Throughput::Elements(pixels));
        for (name, call) in [
            ("resize_bilinear_224", "image_resize(image, 224, 224)"),
            ("resize_lanczos_224", "image_resize(image, 224, 224, 'lanczos')"),
            (
                "tensor_224",
                "image_to_tensor(image, 224, 224, mean => [0.485, 0.456, 0.406], std => [0.229, 0.224, 0.225])",
            ),
            ("phash", "image_phash(image)"),
        ] {
            let prepared = session.prepare(&format!("SELECT {call} FROM images")).expect("a query");
            assert_eq!(drained(&prepared), IMAGES as u64, "{name}");
            group.bench_function(BenchmarkId::new(name, format!("{width}x{height}")), |bencher| {
                bencher.iter(|| drained(&prepared));
            });
        }
    }
    group.finish();
}

fn sound(criterion: &mut Criterion) {
    let session = session();
    let made = session
        .sql("CREATE TABLE sound AS SELECT list(sin(i * 0.05)::FLOAT) AS samples FROM range(176000) t(i)");
    made.and_then(|answer| answer.drain()).expect("the sound is made");
    let mut group = criterion.benchmark_group("audio");
    group.throughput(Throughput::Elements(SAMPLES)).sample_size(10);
    for (name, call) in [
        ("log_mel_80", "log_mel(samples, 16000)"),
        ("resample_16000_to_8000", "audio_resample(samples, 16000, 8000)"),
        ("resample_44100_to_16000", "audio_resample(samples, 44100, 16000)"),
    ] {
        let prepared = session.prepare(&format!("SELECT {call} FROM sound")).expect("a query");
        assert_eq!(drained(&prepared), 1, "{name}");
        group
            .bench_function(BenchmarkId::from_parameter(name), |bencher| bencher.iter(|| drained(&prepared)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = images, sound
}
criterion_main!(benches);
