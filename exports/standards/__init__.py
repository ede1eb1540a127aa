"""The surveys of wildlife in the standards of its data: Darwin Core with the Humboldt extension, and Camtrap DP.

Both are releases like the others (`exports.package`), told by the same policies (`exports.policy`). docs/standards.md says what of
each survey becomes what. Sources: Darwin Core, its text guide and the Humboldt extension (TDWG, rs.tdwg.org/dwc, rs.tdwg.org/eco);
Camtrap DP 1.0.2 (camtrap-dp.tdwg.org).
"""
