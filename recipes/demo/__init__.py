"""The recipe of the demo collection: generated speech over generated sound scenes, as small videos."""
