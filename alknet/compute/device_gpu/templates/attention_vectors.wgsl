// Four elements of a query or key from `d` on, 0 beyond its depth.
fn query_vector(at: u32, d: u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (p.query_mode == 1u) {
    if (d < p.depth) { v = load4_query(at + d); }
    return v;
  }
  for (var c = 0u; c < 4u; c += 1u) {
    if (d + c < p.depth) { v[c] = load_query(at + (d + c) * p.query_column); }
  }
  return v;
}

fn key_vector(at: u32, d: u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (p.key_mode == 1u) {
    if (d < p.depth) { v = load4_key(at + d); }
    return v;
  }
  for (var c = 0u; c < 4u; c += 1u) {
    if (d + c < p.depth) { v[c] = load_key(at + (d + c) * p.key_column); }
  }
  return v;
}
