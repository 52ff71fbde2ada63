// For few queries, as when text is generated ("Flash-Decoding"): a workgroup has one query and a slice of at most {{most_keys}}
// keys. Its results are the sums of the values by weights relative to the slice's largest score, that score, and the sum
// of the weights; "attention_sum" joins them.
{{> attention_mask}}
{{> attention_vectors}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let rows = p.heads * p.queries;
  if (group >= rows * p.slices) { return; }
  let row = group % rows;
  let query = row % p.queries;
  let head = locate_head(row / p.queries);
  let q = head.query + query * p.query_row;
  let last = select(p.keys, min(p.keys, query + 1u), p.causal != 0u);
  let begin = min((group / rows) * p.slice_inner, last);
  let keys = min(p.slice_inner, last - begin);
  let lowest = from_bits(0xff800000u);

  var most = lowest;
  for (var i = local; i < keys; i += {{size}}u) {
    let k = head.key + (begin + i) * p.key_row;
    var products = vec4<f32>(0.0);
    for (var d = 0u; d < p.depth; d += 4u) { products += query_vector(q, d) * key_vector(k, d); }
    let score = masked_score(((products.x + products.y) + (products.z + products.w)) * p.scale, head, query, begin + i);
    weights[i] = score;
    most = nan_max(most, score);
  }
  joined[local] = most;
  for (var step = {{size}}u / 2u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (local < step) { joined[local] = nan_max(joined[local], joined[local + step]); }
  }
  workgroupBarrier();
  let highest = joined[0];
  workgroupBarrier();

  var own = 0.0;
  for (var i = local; i < keys; i += {{size}}u) {
    let score = weights[i];
    let weight = select(exp(score - highest), 0.0, score == lowest);
    weights[i] = weight;
    own += weight;
  }
  joined[local] = own;
  for (var step = {{size}}u / 2u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (local < step) { joined[local] += joined[local + step]; }
  }
  workgroupBarrier();

  let first = group * (p.width + 2u);
  if (local == 0u) {
    store(first + p.width, highest);
    store(first + p.width + 1u, joined[0]);
  }
  for (var column = local; column < p.width; column += {{size}}u) {
    let v = head.value + begin * p.value_row + column * p.value_column;
    var sums = vec4<f32>(0.0);
    let whole = keys / 4u * 4u;
    for (var i = 0u; i < whole; i += 4u) {
      sums += vec4<f32>(weights[i], weights[i + 1u], weights[i + 2u], weights[i + 3u]) *
              vec4<f32>(load_value(v + i * p.value_row), load_value(v + (i + 1u) * p.value_row),
                        load_value(v + (i + 2u) * p.value_row), load_value(v + (i + 3u) * p.value_row));
    }
    for (var i = whole; i < keys; i += 1u) { sums.x += weights[i] * load_value(v + i * p.value_row); }
    store(first + column, (sums.x + sums.y) + (sums.z + sums.w));
  }
}
