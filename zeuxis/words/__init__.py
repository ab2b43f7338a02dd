"""The words, one file each: what a person can ask for. See `zeuxis.word`."""
