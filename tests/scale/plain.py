"""The engine without encryption, for comparison: texts stand where ciphertext would."""

from registry.submissions.services import owners


class PlainOwners(owners.Sealer):
    """No key is made, nothing is sealed or indexed blindly: the account is its own index."""

    def _sealed(self, text: str) -> bytes:
        lines = text[:-1].split("\n")
        for number, line in enumerate(lines):
            cells = line.split("\t")
            holder = self._holder(cells[self.utility] if self.utility else "")
            given = ["" if place is None else owners._plain(cells[place]) for place in self.places]
            for place in self.gone:
                del cells[place]
            filled = sum(bool(value) << place for place, value in enumerate(given))
            values, account = (owners._bytes(value.encode()) for value in ("\0".join(given), given[0]))
            cells.append(f"\t\t{values}\t{filled}\t{self.rings[holder].pk}\t{account}\t\t0\t")
            lines[number] = "\t".join(cells)
        lines.append("")
        return "\n".join(lines).encode()
