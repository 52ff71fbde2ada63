// A workgroup has 64 queries of a head and goes over the keys, 64 at a time, with a running maximum and sum a row (Dao et
// al., "FlashAttention"): scores and results in registers, 4 x 4 scores and 4 x {{groups}} vectors of results an invocation;
// steps of queries and keys, then of values, in workgroup memory.
var<workgroup> tile: array<vec4<f32>, 640>;            // 64 queries and 64 keys by 16 (and padding), or 16 values
var<workgroup> weights: array<vec4<f32>, 1024>;        // 64 x 64
var<workgroup> of_rows: array<f32, 1024>;              // 64 x 16: what the invocations of a row have
{{#mask}}
var<workgroup> any_kept: atomic<u32>;
var<workgroup> tile_kept: u32;
{{/mask}}

{{> attention_vectors}}
fn value_vector(at: u32, column: u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (p.value_mode == 1u) {
    if (column < p.width) { v = load4_value(at + column); }
    return v;
  }
  for (var c = 0u; c < 4u; c += 1u) {
    if (column + c < p.width) { v[c] = load_value(at + (column + c) * p.value_column); }
  }
  return v;
}

// What is added to a score; -inf where the key is not kept.
fn bias_of(head: head_place, query: u32, key: u32) -> f32 {
  let lowest = from_bits(0xff800000u);
  if (query >= p.queries || key >= p.keys || (p.causal != 0u && key > query)) { return lowest; }
{{#mask}}
  let at = head.attn_mask + query * p.mask_row + key * p.mask_column;
{{#bool_mask}}
  return select(lowest, 0.0, load_attn_mask(at));
{{/bool_mask}}
{{^bool_mask}}
  return load_attn_mask(at);
{{/bool_mask}}
{{/mask}}
{{^mask}}
  return 0.0;
{{/mask}}
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let blocks = (p.queries + 63u) / 64u;
  if (group >= p.heads * blocks * p.chunks) { return; }
  let first_column = (group % p.chunks) * {{chunk}}u;
  let first_query = ((group / p.chunks) % blocks) * 64u;
  let head_index = group / p.chunks / blocks;
  let head = locate_head(head_index);
  let x = local % 16u;
  let row = (local / 16u) * 4u;
  let tile_row = local / 4u;
  let part = local % 4u;
  let lowest = from_bits(0xff800000u);

  var highest: array<f32, 4>;
  var total: array<f32, 4>;
  var sums: array<vec4<f32>, {{vectors}}>;
  for (var i = 0u; i < 4u; i += 1u) { highest[i] = lowest; }
  let end = select(p.keys, min(p.keys, first_query + 64u), p.causal != 0u);
  for (var first_key = 0u; first_key < end; first_key += 64u) {
    var bias: array<vec4<f32>, 4>;
    for (var i = 0u; i < 4u; i += 1u) {
      let query = first_query + row + i;
      let key = first_key + x * 4u;
      bias[i] = vec4<f32>(bias_of(head, query, key), bias_of(head, query, key + 1u), bias_of(head, query, key + 2u),
                          bias_of(head, query, key + 3u));
    }
{{#mask}}
    // A tile without any key kept is left out: a window costs what it shows.
    if (local == 0u) { atomicStore(&any_kept, 0u); }
    workgroupBarrier();
    let dropped = vec4<f32>(lowest);
    if (any(bias[0] != dropped) || any(bias[1] != dropped) || any(bias[2] != dropped) || any(bias[3] != dropped)) {
      atomicOr(&any_kept, 1u);
    }
    workgroupBarrier();
    if (local == 0u) { tile_kept = atomicLoad(&any_kept); }
    if (workgroupUniformLoad(&tile_kept) == 0u) { continue; }
{{/mask}}

    // Providers make a variable of a loop 0 once only, so this says it each time.
    var scores = array<vec4<f32>, 4>();
    for (var first = 0u; first < p.depth; first += 16u) {
      workgroupBarrier();
      var q = vec4<f32>();
      if (first_query + tile_row < p.queries) {
        q = query_vector(head.query + (first_query + tile_row) * p.query_row, first + part * 4u);
      }
      tile[tile_row * 5u + part] = q;
      // Keys lie in the order in which neighbouring invocations read them: rows of 5 vectors meet no bank twice.
      var k = vec4<f32>();
      if (first_key + tile_row < p.keys) {
        k = key_vector(head.key + (first_key + tile_row) * p.key_row, first + part * 4u);
      }
      tile[320u + ((tile_row % 4u) * 16u + tile_row / 4u) * 5u + part] = k;
      workgroupBarrier();
      for (var d = 0u; d < 4u; d += 1u) {
        let k0 = tile[320u + x * 5u + d];
        let k1 = tile[400u + x * 5u + d];
        let k2 = tile[480u + x * 5u + d];
        let k3 = tile[560u + x * 5u + d];
        for (var i = 0u; i < 4u; i += 1u) {
          let own = tile[(row + i) * 5u + d];
          scores[i] += vec4<f32>(dot(own, k0), dot(own, k1), dot(own, k2), dot(own, k3));
        }
      }
    }

    for (var i = 0u; i < 4u; i += 1u) {
      let s = select(scores[i] * p.scale + bias[i], vec4<f32>(lowest), bias[i] == vec4<f32>(lowest));
      scores[i] = s;
      of_rows[(row + i) * 16u + x] = nan_max(nan_max(s.x, s.y), nan_max(s.z, s.w));
    }
    workgroupBarrier();
    for (var i = 0u; i < 4u; i += 1u) {
      var most = highest[i];
      for (var t = 0u; t < 16u; t += 1u) { most = nan_max(most, of_rows[(row + i) * 16u + t]); }
      let old = select(exp(highest[i] - most), 1.0, highest[i] == most);
      let weight = select(exp(scores[i] - most), vec4<f32>(), scores[i] == vec4<f32>(lowest));
      highest[i] = most;
      total[i] = total[i] * old + (weight.x + weight.y) + (weight.z + weight.w);
      weights[(row + i) * 16u + x] = weight;
      for (var g = 0u; g < {{groups}}u; g += 1u) { sums[i * {{groups}}u + g] *= old; }
    }
    let tile_keys = min(64u, end - first_key);
    for (var first = 0u; first < tile_keys; first += 16u) {
      workgroupBarrier();
      for (var g = 0u; g < {{groups}}u; g += 1u) {
        let place = local + g * 256u;
        let key = first_key + first + place / {{row_vectors}}u;
        var v = vec4<f32>();
        if (key < p.keys) {
          v = value_vector(head.value + key * p.value_row, first_column + (place % {{row_vectors}}u) * 4u);
        }
        tile[place] = v;
      }
      workgroupBarrier();
      for (var k = 0u; k < 4u; k += 1u) {
        for (var g = 0u; g < {{groups}}u; g += 1u) {
          let at = k * 4u * {{row_vectors}}u + g * 16u + x;
          let v0 = tile[at];
          let v1 = tile[at + {{row_vectors}}u];
          let v2 = tile[at + 2u * {{row_vectors}}u];
          let v3 = tile[at + 3u * {{row_vectors}}u];
          for (var i = 0u; i < 4u; i += 1u) {
            let weight = weights[(row + i) * 16u + first / 4u + k];
            sums[i * {{groups}}u + g] += weight.x * v0 + weight.y * v1 + weight.z * v2 + weight.w * v3;
          }
        }
      }
    }
  }

  workgroupBarrier();
  for (var i = 0u; i < 4u; i += 1u) { of_rows[(row + i) * 16u + x] = total[i]; }
  workgroupBarrier();
  for (var i = 0u; i < 4u; i += 1u) {
    let query = first_query + row + i;
    if (query >= p.queries) { continue; }
    var sum = 0.0;
    for (var t = 0u; t < 16u; t += 1u) { sum += of_rows[(row + i) * 16u + t]; }
    for (var g = 0u; g < {{groups}}u; g += 1u) {
      let column = first_column + g * 64u + x * 4u;
      // Without any key kept the row is 0.
      let y = select(sums[i * {{groups}}u + g] / sum, vec4<f32>(), vec4<bool>(sum == 0.0));
      for (var c = 0u; c < 4u; c += 1u) {
        if (column + c < p.width) { store((head_index * p.queries + query) * p.width + column + c, y[c]); }
      }
    }
  }
}
