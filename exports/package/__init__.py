"""Releases as packages: what every folder of files holds beside its data, so that others can check, cite and read it in ten years.

A recipe (`exports.recipes`) writes its data files and says what is in them (`contents.ExportResult`); `release.make` adds the rest,
the same for all: dictionary, readme, provenance, changes, citation, descriptor, checksums, archive. Nothing in a package tells when
it was made: the same records, as of the same day, give the same bytes.
"""
