// One pass over the keys for each query row, with a running maximum and sum (Milakov and Gimelshein, "Online
// normalizer calculation for softmax"). An invocation holds {{chunk}} columns of its output row in registers; wider
// rows take several invocations.
{{> attention_mask}}
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  let row = index / p.chunks;
  if (row >= p.heads * p.queries) { return; }
  let first = (index % p.chunks) * {{chunk}}u;
  let query = row % p.queries;
  let head = locate_head(row / p.queries);
  let q = head.query + query * p.query_row;
  let width = min({{chunk}}u, p.width - first);
  let vectors = (width + 3u) / 4u;
  let keys = select(p.keys, min(p.keys, query + 1u), p.causal != 0u);

  var sums: array<vec4<f32>, {{vectors}}>;
  let lowest = from_bits(0xff800000u);
  var highest = lowest;
  var total = 0.0;
  for (var key = 0u; key < keys; key += 1u) {
    let k = head.key + key * p.key_row;
    var score = 0.0;
    for (var d = 0u; d < p.depth; d += 1u) {
      score += load_query(q + d * p.query_column) * load_key(k + d * p.key_column);
    }
    score = masked_score(score * p.scale, head, query, key);
    if (score == lowest) { continue; }
    var old = 1.0;
    if (!(score <= highest)) {
      old = exp(highest - score);
      highest = score;
    }
    let weight = exp(score - highest);
    total = total * old + weight;
    let v = head.value + key * p.value_row;
    for (var c = 0u; c < vectors; c += 1u) {
      let last = p.width - 1u;
      let column = first + c * 4u;
      sums[c] = sums[c] * old + weight * vec4<f32>(
          load_value(v + column * p.value_column),
          load_value(v + min(column + 1u, last) * p.value_column),
          load_value(v + min(column + 2u, last) * p.value_column),
          load_value(v + min(column + 3u, last) * p.value_column));
    }
  }
  for (var c = 0u; c < width; c += 1u) {
    // Without any key kept the row is 0.
    let result = select(sums[c / 4u][c % 4u] / total, 0.0, total == 0.0);
    store(row * p.width + first + c, result);
  }
}
