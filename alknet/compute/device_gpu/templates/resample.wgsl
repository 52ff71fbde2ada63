// Average pools and interpolation: linear maps whose weights are products of one along each dimension.
struct Line { input: u32, output: u32, kernel: u32, stride: u32, padding: u32, scale: f32 }

{{#cubic}}
fn cubic(distance: f32) -> f32 {
  let a = -0.75;
  let x = abs(distance);
  if (x <= 1.0) { return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0; }
  return select(0.0, ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a, x < 2.0);
}
{{/cubic}}
{{#linear}}
fn centre(o: u32, line: Line) -> f32 {
{{#corners}}
  return f32(o) * line.scale;
{{/corners}}
{{^corners}}
  return (f32(o) + 0.5) * line.scale - 0.5;
{{/corners}}
}
{{/linear}}

/// Elements of the source that place `o` may look at: the first and one behind the last.
fn span(o: u32, line: Line) -> vec2<i32> {
{{#window}}
  let first = i32(o * line.stride) - i32(line.padding);
  return vec2<i32>(max(first, 0), min(first + i32(line.kernel), i32(line.input)));
{{/window}}
{{#adaptive}}
  return vec2<i32>(i32(o * line.input / line.output),
                   i32(((o + 1u) * line.input + line.output - 1u) / line.output));
{{/adaptive}}
{{#nearest}}
{{#exact}}
  let place = (2u * o + {{centred}}u) * line.input / (2u * line.output);
{{/exact}}
{{^exact}}
  let place = u32((f32(o) + 0.5 * f32({{centred}}u)) * line.scale);
{{/exact}}
  let first = min(i32(place), i32(line.input) - 1);
  return vec2<i32>(first, first + 1);
{{/nearest}}
{{#linear}}
  let low = i32(floor(centre(o, line)));
  let last = i32(line.input) - 1;
  return vec2<i32>(clamp(low - 1, 0, last), clamp(low + 2, 0, last) + 1);
{{/linear}}
}

/// The weight of element `i`, inside the span of `o`.
fn weight(o: u32, i: i32, line: Line) -> f32 {
{{#average}}
  let first = i32(o * line.stride) - i32(line.padding);
  let end = min(first + i32(line.kernel), i32(line.input + line.padding));
{{#include_padding}}
  return 1.0 / f32(end - first);
{{/include_padding}}
{{^include_padding}}
  return 1.0 / f32(min(end, i32(line.input)) - max(first, 0));
{{/include_padding}}
{{/average}}
{{#override}}
  return 1.0;
{{/override}}
{{#adaptive}}
  let all = span(o, line);
  return 1.0 / f32(all.y - all.x);
{{/adaptive}}
{{#nearest}}
  return 1.0;
{{/nearest}}
{{#linear}}
  let last = i32(line.input) - 1;
{{#cubic}}
  let at = centre(o, line);
  let low = i32(floor(at));
  var sum = 0.0;
  for (var k = low - 1; k <= low + 2; k += 1) {
    if (clamp(k, 0, last) == i) { sum += cubic(at - f32(k)); }
  }
  return sum;
{{/cubic}}
{{^cubic}}
  let at = max(centre(o, line), 0.0);
  let low = i32(floor(at));
  let rest = at - f32(low);
  return select(0.0, 1.0 - rest, min(low, last) == i) + select(0.0, rest, min(low + 1, last) == i);
{{/cubic}}
{{/linear}}
}

{{#backward}}
/// All places: those whose span does not hold the element weigh nothing.
fn candidates(i: u32, line: Line) -> vec2<i32> { return vec2<i32>(0, i32(line.output)); }
fn factor(i: u32, o: i32, line: Line) -> f32 {
  let all = span(u32(o), line);
  if (i32(i) < all.x || i32(i) >= all.y) { return 0.0; }
  return weight(u32(o), i32(i), line);
}
{{/backward}}
{{^backward}}
fn candidates(o: u32, line: Line) -> vec2<i32> { return span(o, line); }
fn factor(o: u32, i: i32, line: Line) -> f32 { return weight(o, i, line); }
{{/backward}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let at = vec3<u32>(index / (p.result_1 * p.result_2) % p.result_0, index / p.result_2 % p.result_1,
                     index % p.result_2);
  let plane = index / (p.result_0 * p.result_1 * p.result_2);
  let source = plane / p.channels * p.source_image + plane % p.channels * p.source_channel;
  let line_z = Line(p.input_0, p.output_0, p.kernel_0, p.stride_0, p.padding_0, p.scale_0);
  let line_y = Line(p.input_1, p.output_1, p.kernel_1, p.stride_1, p.padding_1, p.scale_1);
  let line_x = Line(p.input_2, p.output_2, p.kernel_2, p.stride_2, p.padding_2, p.scale_2);
  let z = candidates(at.x, line_z);
  let y = candidates(at.y, line_y);
  let x = candidates(at.z, line_x);
  var sum = 0.0;
  for (var k = z.x; k < z.y; k += 1) {
    let by_z = factor(at.x, k, line_z);
    if (by_z == 0.0) { continue; }
    for (var j = y.x; j < y.y; j += 1) {
      let by_y = by_z * factor(at.y, j, line_y);
      if (by_y == 0.0) { continue; }
      var row = 0.0;
      for (var i = x.x; i < x.y; i += 1) {
        let by_x = factor(at.z, i, line_x);
        if (by_x == 0.0) { continue; }
        row += by_x * load_{{source}}(source + u32(k) * p.source_step_0 + u32(j) * p.source_step_1 +
                                      u32(i) * p.source_step_2);
      }
      sum += by_y * row;
    }
  }
  store(index, sum * p.total);
}
