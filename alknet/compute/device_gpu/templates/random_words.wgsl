// One word of Philox4x32-10 an invocation: word number scale * (index rounded down to divisor) + offset of the stream.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  // The word in two parts: its block does not fit 32 bits times 2.
  let base = index / p.word_divisor * p.word_divisor;
  let block = base / (4u / p.word_scale);
  let place = (base % (4u / p.word_scale)) * p.word_scale + p.word_offset;
  var c = vec4<u32>(block, load_rng(2u * p.rng_stride), p.stream, load_rng(3u * p.rng_stride));
  var k = vec2<u32>(load_rng(0u), load_rng(p.rng_stride));
  for (var round = 0u; round < 10u; round += 1u) {
    let a = multiply_wide(0xD2511F53u, c.x);
    let b = multiply_wide(0xCD9E8D57u, c.z);
    c = vec4<u32>(b.x ^ c.y ^ k.x, b.y, a.x ^ c.w ^ k.y, a.y);
    k = k + vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
  }
  store(index, c[place]);
}
