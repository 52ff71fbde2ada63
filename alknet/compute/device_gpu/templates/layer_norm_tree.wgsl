// `lanes` invocations a row: mean (0 for the RMS norm) and variance about it, then each writes its share.
{{#moments}}
// A row too long for registers: (count, mean, sum of squares about it) of shares by Welford's method, joined by that of
// Chan, Golub and LeVeque; then the row is read again.
fn joined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let count = a.x + b.x;
  if (count == 0.0) { return a; }
  let difference = b.y - a.y;
  return vec4<f32>(count, a.y + difference * (b.x / count),
                   a.z + b.z + difference * difference * (a.x * (b.x / count)), 0.0);
}
{{/moments}}
{{^moments}}
fn joined(a: f32, b: f32) -> f32 { return a + b; }
{{/moments}}
{{> join_lanes}}

fn write(at: lane_place, k: u32, normal: f32) {
  let column = locate_column(k);
  var y = normal;
{{#weight}}
  y *= load_weight(column.weight);
{{/weight}}
{{#bias}}
  y += load_bias(column.bias);
{{/bias}}
  store(at.row * p.length + k, y);
}

fn run_row(at: lane_place) {
  let length = select(0u, p.length, at.row < p.rows);
  let base = locate_row(at.row).input;
  var sum = 0.0;
{{#kept}}
  // The row is read once: a share of {{kept}} elements stays in registers.
  var kept: array<f32, {{kept}}>;
  for (var i = 0u; i < {{kept}}u; i += 1u) {
    let k = at.lane + i * p.lanes;
    kept[i] = 0.0;
    if (k < length) { kept[i] = load_input(base + locate_column(k).input); }
    sum += kept[i];
  }
{{#centred}}
  let mean = join_lanes(at, sum) / f32(p.length);
{{/centred}}
{{^centred}}
  let mean = 0.0;
{{/centred}}
  sum = 0.0;
  for (var i = 0u; i < {{kept}}u; i += 1u) {
    kept[i] -= mean;
    sum += select(0.0, kept[i] * kept[i], at.lane + i * p.lanes < length);
  }
  let scale = 1.0 / sqrt(join_lanes(at, sum) / f32(p.length) + p.eps);
  for (var i = 0u; i < {{kept}}u; i += 1u) {
    let k = at.lane + i * p.lanes;
    if (k < length) { write(at, k, kept[i] * scale); }
  }
{{/kept}}
{{^kept}}
{{#moments}}
  var own = vec4<f32>();
  for (var k = at.lane; k < length; k += p.lanes) {
    let x = load_input(base + locate_column(k).input);
    let difference = x - own.y;
    own.x += 1.0;
    own.y += difference / own.x;
    own.z += difference * (x - own.y);
  }
  let all = join_lanes(at, own);
  let mean = all.y;
  sum = all.z;
{{/moments}}
{{^moments}}
  let mean = 0.0;
  for (var k = at.lane; k < length; k += p.lanes) {
    let x = load_input(base + locate_column(k).input);
    sum += x * x;
  }
  sum = join_lanes(at, sum);
{{/moments}}
  let scale = 1.0 / sqrt(sum / f32(p.length) + p.eps);
  for (var k = at.lane; k < length; k += p.lanes) {
    write(at, k, (load_input(base + locate_column(k).input) - mean) * scale);
  }
{{/kept}}
}
