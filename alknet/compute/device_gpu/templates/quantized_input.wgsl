// Four neighbours of a row of the input.
fn input4(at: u32) -> vec4<f32> {
  if (p.a_mode == 1u) { return load4_input(at); }
  return vec4<f32>(load_input(at), load_input(at + p.a_column), load_input(at + 2u * p.a_column),
                   load_input(at + 3u * p.a_column));
}
