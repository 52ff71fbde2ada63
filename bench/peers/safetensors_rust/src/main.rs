// The safetensors crate as a peer, through memmap2. Speaks the protocol that alknet_bench.cc describes.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::SafeTensors;

type Case = Box<dyn Fn()>;

fn map(path: &str) -> memmap2::Mmap {
    let file = std::fs::File::open(path).unwrap();
    unsafe { memmap2::Mmap::map(&file).unwrap() }
}

/// F1: opens a file of F32 entries, takes a view of each and reads its first element.
fn touch_views(path: &str) -> f32 {
    let bytes = map(path);
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut sum = 0f32;
    for (_, view) in tensors.iter() {
        assert!(view.dtype() == Dtype::F32);
        sum += f32::from_le_bytes(view.data()[..4].try_into().unwrap());
    }
    sum
}

/// F2: opens a file and reads all its bytes once, as 64-bit words.
fn read_file(path: &str) -> u64 {
    let bytes = map(path);
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut sum = 0u64;
    for (_, view) in tensors.iter() {
        let words = view.data().chunks_exact(8);
        for byte in words.remainder() {
            sum = sum.wrapping_add(u64::from(*byte));
        }
        for word in words {
            sum = sum.wrapping_add(u64::from_le_bytes(word.try_into().unwrap()));
        }
    }
    sum
}

/// F3: writes `count` U8 entries that all hold `content`, syncs and renames.
fn write_file(path: &str, count: usize, content: &[u8]) {
    let temporary = format!("{path}.tmp");
    let entries = (0..count).map(|i| {
        let view = TensorView::new(Dtype::U8, vec![content.len()], content).unwrap();
        (format!("entry.{i}"), view)
    });
    safetensors::serialize_to_file(entries, None, temporary.as_ref()).unwrap();
    std::fs::File::open(&temporary).unwrap().sync_all().unwrap();
    std::fs::rename(&temporary, path).unwrap();
}

fn make(parameters: &serde_json::Value) -> Case {
    let path = parameters["file"].as_str().unwrap().to_owned();
    match parameters["case"].as_str().unwrap() {
        "touch_views" => Box::new(move || {
            std::hint::black_box(touch_views(&path));
        }),
        "read_file" => Box::new(move || {
            std::hint::black_box(read_file(&path));
        }),
        "write_file" => {
            let count = parameters["count"].as_u64().unwrap() as usize;
            let bytes = parameters["bytes"].as_u64().unwrap() as usize;
            let content: Vec<u8> = (0..bytes).map(|i| (i * 31) as u8).collect();
            Box::new(move || write_file(&path, count, &content))
        }
        other => panic!("no case {other}"),
    }
}

/// A figure of /proc/self/status in bytes.
fn status_bytes(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let lines: HashMap<_, _> = text.lines().filter_map(|line| line.split_once(':')).collect();
    lines[key].split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

fn main() {
    let mut case: Case = Box::new(|| {});
    let mut start = 0; // bytes that were resident before the first run
    for line in std::io::stdin().lock().lines() {
        let request: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = if let Some(parameters) = request.get("prepare") {
            case = make(parameters);
            std::fs::write("/proc/self/clear_refs", "5").unwrap(); // VmHWM becomes VmRSS
            start = status_bytes("VmRSS");
            case();
            serde_json::json!({"ready": true, "version": "safetensors 0.8.0 (Rust, memmap2)"})
        } else {
            let begin = Instant::now();
            for _ in 0..request["run"].as_u64().unwrap() {
                case();
            }
            let seconds = begin.elapsed().as_secs_f64();
            let peak = status_bytes("VmHWM").saturating_sub(start);
            serde_json::json!({"seconds": seconds, "peak_bytes": peak})
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}
