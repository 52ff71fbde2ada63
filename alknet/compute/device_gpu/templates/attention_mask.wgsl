// A score with the mask's say: -inf where the key is not kept.
fn masked_score(score: f32, head: head_place, query: u32, key: u32) -> f32 {
{{#mask}}
  let at = head.attn_mask + query * p.mask_row + key * p.mask_column;
{{#bool_mask}}
  return select(from_bits(0xff800000u), score, load_attn_mask(at));
{{/bool_mask}}
{{^bool_mask}}
  return score + load_attn_mask(at);
{{/bool_mask}}
{{/mask}}
{{^mask}}
  return score;
{{/mask}}
}
