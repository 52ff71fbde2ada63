// One element of the result an invocation: of the part that its place along the dimension falls into.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let row = index / p.inner / p.length;
  let column = index % p.inner;
  var k = (index / p.inner) % p.length;
  if (k < p.first_length) {
    let value = load_first(locate_first((row * p.first_length + k) * p.inner + column).first);
    store(index, value);
    return;
  }
  k -= p.first_length;
  if (k < p.second_length) {
    let value = load_second(locate_second((row * p.second_length + k) * p.inner + column).second);
    store(index, value);
    return;
  }
  k -= p.second_length;
{{#third}}
  if (k < p.third_length) {
    let value = load_third(locate_third((row * p.third_length + k) * p.inner + column).third);
    store(index, value);
    return;
  }
  k -= p.third_length;
{{/third}}
{{#fourth}}
  if (k < p.fourth_length) {
    let value = load_fourth(locate_fourth((row * p.fourth_length + k) * p.inner + column).fourth);
    store(index, value);
    return;
  }
  k -= p.fourth_length;
{{/fourth}}
}
