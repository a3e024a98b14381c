"""Pictures of numbers: data in, SVG out, with the same numbers as a table. Pure; see docs/adr on why they are ours.

Across, all is in per cent of the picture's width, so a picture fits any window and its text keeps its size; down, all
is in pixels. Colours, strokes and fonts are the style sheet's: each mark has a class, and a state a shape of its own.
"""
