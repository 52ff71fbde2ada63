// The safetensors crate as a peer: opens a mapped file and reads all bytes once, as 64-bit words.
// Speaks the protocol that alknet_bench.cc describes.

use std::io::{BufRead, Write};
use std::time::Instant;

fn read_file(path: &str) -> u64 {
    let file = std::fs::File::open(path).unwrap();
    let map = unsafe { memmap2::Mmap::map(&file).unwrap() };
    let tensors = safetensors::SafeTensors::deserialize(&map).unwrap();
    let mut sum = 0u64;
    for (_, view) in tensors.tensors() {
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

fn main() {
    let mut path = String::new();
    for line in std::io::stdin().lock().lines() {
        let request: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = if let Some(parameters) = request.get("prepare") {
            path = parameters["file"].as_str().unwrap().to_owned();
            std::hint::black_box(read_file(&path));
            serde_json::json!({"ready": true, "version": "safetensors 0.4.5 (Rust, memmap2)"})
        } else {
            let begin = Instant::now();
            for _ in 0..request["run"].as_u64().unwrap() {
                std::hint::black_box(read_file(&path));
            }
            serde_json::json!({"seconds": begin.elapsed().as_secs_f64()})
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}
