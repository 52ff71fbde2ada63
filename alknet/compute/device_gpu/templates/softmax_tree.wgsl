// `lanes` invocations a row: each has the maximum of its share and the sum of exponentials below it (Milakov and
// Gimelshein, "Online normalizer calculation for softmax"), they join these, then each writes its share.
{{#kept}}
// The row is read once: a share of {{kept}} elements stays in registers.
{{/kept}}
fn joined(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let lowest = from_bits(0xff800000u);
  let highest = nan_max(a.x, b.x);
  // A share without anything above -inf has the sum 0.
  return vec2<f32>(highest, select(a.y * exp(a.x - highest), 0.0, a.x == lowest) +
                                select(b.y * exp(b.x - highest), 0.0, b.x == lowest));
}
{{> join_lanes}}

fn run_row(at: lane_place) {
  let length = select(0u, p.length, at.row < p.rows);
  let base = locate_row(at.row).input;
  let target_base = (at.row / p.inner) * p.length * p.inner + at.row % p.inner;
  let lowest = from_bits(0xff800000u);
{{#kept}}
  var kept: array<f32, {{kept}}>;
  var own = vec2<f32>(lowest, 0.0);
  for (var i = 0u; i < {{kept}}u; i += 1u) {
    let k = at.lane + i * p.lanes;
    kept[i] = lowest;
    if (k < length) {
      kept[i] = load_input(base + k * p.stride);
      own.x = nan_max(own.x, kept[i]);
    }
  }
  for (var i = 0u; i < {{kept}}u; i += 1u) {
    let e = select(exp(kept[i] - own.x), 0.0, kept[i] == lowest);
    own.y += e;
{{^logarithm}}
    kept[i] = e;
{{/logarithm}}
  }
  let all = join_lanes(at, own);
{{#logarithm}}
  let shift = log(all.y);
{{/logarithm}}
{{^logarithm}}
  let scale = exp(own.x - all.x) / all.y;
{{/logarithm}}
  for (var i = 0u; i < {{kept}}u; i += 1u) {
    let k = at.lane + i * p.lanes;
{{#logarithm}}
    if (k < length) { store(target_base + k * p.inner, kept[i] - all.x - shift); }
{{/logarithm}}
{{^logarithm}}
    if (k < length) { store(target_base + k * p.inner, kept[i] * scale); }
{{/logarithm}}
  }
{{/kept}}
{{^kept}}
  var own = vec2<f32>(lowest, 0.0);
  for (var k = at.lane; k < length; k += p.lanes) {
    let x = load_input(base + k * p.stride);
    if (x <= own.x) {
      own.y += select(exp(x - own.x), 0.0, x == lowest);
    } else {
      own = joined(own, vec2<f32>(x, 1.0));
    }
  }
  let all = join_lanes(at, own);
  for (var k = at.lane; k < length; k += p.lanes) {
{{#logarithm}}
    store(target_base + k * p.inner, load_input(base + k * p.stride) - all.x - log(all.y));
{{/logarithm}}
{{^logarithm}}
    store(target_base + k * p.inner, exp(load_input(base + k * p.stride) - all.x) / all.y);
{{/logarithm}}
  }
{{/kept}}
}
