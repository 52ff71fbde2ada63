// `lanes` invocations a line: each finds the best of its share, then they join these. The first of equal elements wins;
// NaN goes before all.
fn better(x: {{type}}, most: {{type}}) -> bool { return {{better}}; }
fn joined(a: {{joined_type}}, b: {{joined_type}}) -> {{joined_type}} {
  // Lanes without an element have no place.
  if (a.{{place}} == 0xffffffffu) { return b; }
  if (b.{{place}} == 0xffffffffu) { return a; }
  let x = {{unpack_b}};
  let most = {{unpack_a}};
  if (better(x, most) || (b.{{place}} < a.{{place}} && !better(most, x))) { return b; }
  return a;
}
{{> join_lanes}}

fn run_row(at: lane_place) {
  let inside = at.row < p.rows && at.lane < p.reduced_count;
  let base = locate_row(at.row).input;
  var best = 0xffffffffu;
  var most = {{type}}();
  if (inside) {
    best = at.lane;
    most = load_input(base + locate_reduced(at.lane).input);
    for (var k = at.lane + p.lanes; k < p.reduced_count; k += p.lanes) {
      let x = load_input(base + locate_reduced(k).input);
      if (better(x, most)) {
        best = k;
        most = x;
      }
    }
  }
  let chosen = join_lanes(at, {{pack}});
  if (at.lane != 0u || at.row >= p.rows) { return; }
{{#pair}}
  let a = chosen;
  store_y0(at.row, {{unpack_a}});
  store_y1(at.row, vec2<u32>(chosen.{{place}}, 0u));
{{/pair}}
{{^pair}}
  store_y0(at.row, vec2<u32>(chosen.{{place}}, 0u));
{{/pair}}
}
