"""What to cite for a number: programs, methods, functionals, basis sets, solvent models, each with its DOI."""

from __future__ import annotations

from collections.abc import Mapping

from qcdriver.models.base import Frozen


class Reference(Frozen):
    """An article, and what it is cited for."""

    about: str
    authors: tuple[str, ...]
    journal: str
    year: int
    volume: str
    pages: str
    doi: str

    @property
    def names(self) -> str:
        """Write the authors for a person."""
        return ", ".join(self.authors).replace(", others", " et al.")

    @property
    def key(self) -> str:
        """Name it in BibTeX: the first author, the year, the page."""
        return f"{self.authors[0].split()[-1]}{self.year}_{self.pages}".replace(" ", "")

    def bibtex(self) -> str:
        """Write its entry for BibTeX."""
        fields = {
            "author": " and ".join(self.authors),
            "journal": self.journal,
            "year": str(self.year),
            "volume": self.volume,
            "pages": self.pages,
            "doi": self.doi,
            "note": f"cited for {self.about}",
        }
        lines = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items())
        return f"@article{{{self.key},\n{lines}}}\n"


def _article(about: str, authors: str, journal: str, year: int, volume: str, pages: str, doi: str) -> Reference:
    names = tuple(name.strip() for name in authors.split(";"))
    return Reference(about=about, authors=names, journal=journal, year=year, volume=volume, pages=pages, doi=doi)


_JCP, _JCTC, _PRL = "J. Chem. Phys.", "J. Chem. Theory Comput.", "Phys. Rev. Lett."

# fmt: off
XTB = _article("xtb", "C. Bannwarth; E. Caldeweyher; S. Ehlert; A. Hansen; P. Pracht; J. Seibert; S. Spicher; "
               "S. Grimme", "WIREs Comput. Mol. Sci.", 2021, "11", "e1493", "10.1002/wcms.1493")
GFN = {
    "GFN1-xTB": _article("GFN1-xTB", "S. Grimme; C. Bannwarth; P. Shushkov", _JCTC, 2017, "13", "1989",
                         "10.1021/acs.jctc.7b00118"),
    "GFN2-xTB": _article("GFN2-xTB", "C. Bannwarth; S. Ehlert; S. Grimme", _JCTC, 2019, "15", "1652",
                         "10.1021/acs.jctc.8b01176"),
    "GFN-FF": _article("GFN-FF", "S. Spicher; S. Grimme", "Angew. Chem. Int. Ed.", 2020, "59", "15665",
                       "10.1002/anie.202004239"),
}
ALPB = _article("ALPB and GBSA", "S. Ehlert; M. Stahn; S. Spicher; S. Grimme", _JCTC, 2021, "17", "4250",
                "10.1021/acs.jctc.1c00471")
PYSCF = _article("PySCF", "Q. Sun; others", _JCP, 2020, "153", "024109", "10.1063/5.0006074")
GPU4PYSCF = _article("GPU4PySCF", "R. Li; Q. Sun; X. Zhang; G. K.-L. Chan", "J. Phys. Chem. A", 2025, "129", "1459",
                     "10.1021/acs.jpca.4c05876")
LIBXC = _article("Libxc", "S. Lehtola; C. Steigemann; M. J. T. Oliveira; M. A. L. Marques", "SoftwareX", 2018, "7", "1",
                 "10.1016/j.softx.2017.11.002")
FUNCTIONALS: Mapping[str, tuple[Reference, ...]] = {
    "pbe": (_article("PBE", "J. P. Perdew; K. Burke; M. Ernzerhof", _PRL, 1996, "77", "3865",
                     "10.1103/PhysRevLett.77.3865"),),
    "pbe0": (_article("PBE0", "C. Adamo; V. Barone", _JCP, 1999, "110", "6158", "10.1063/1.478522"),),
    "b3lyp": (_article("B3LYP", "P. J. Stephens; F. J. Devlin; C. F. Chabalowski; M. J. Frisch", "J. Phys. Chem.", 1994,
                       "98", "11623", "10.1021/j100096a001"),),
    "bp86": (_article("BP86, exchange", "A. D. Becke", "Phys. Rev. A", 1988, "38", "3098", "10.1103/PhysRevA.38.3098"),
             _article("BP86, correlation", "J. P. Perdew", "Phys. Rev. B", 1986, "33", "8822",
                      "10.1103/PhysRevB.33.8822")),
    "blyp": (_article("BLYP, exchange", "A. D. Becke", "Phys. Rev. A", 1988, "38", "3098", "10.1103/PhysRevA.38.3098"),
             _article("BLYP, correlation", "C. Lee; W. Yang; R. G. Parr", "Phys. Rev. B", 1988, "37", "785",
                      "10.1103/PhysRevB.37.785")),
    "tpss": (_article("TPSS", "J. Tao; J. P. Perdew; V. N. Staroverov; G. E. Scuseria", _PRL, 2003, "91", "146401",
                      "10.1103/PhysRevLett.91.146401"),),
    "r2scan": (_article("r2SCAN", "J. W. Furness; A. D. Kaplan; J. Ning; J. P. Perdew; J. Sun", "J. Phys. Chem. Lett.",
                        2020, "11", "8208", "10.1021/acs.jpclett.0c02405"),),
    "camb3lyp": (_article("CAM-B3LYP", "T. Yanai; D. P. Tew; N. C. Handy", "Chem. Phys. Lett.", 2004, "393", "51",
                          "10.1016/j.cplett.2004.06.011"),),
    "hse06": (_article("HSE", "J. Heyd; G. E. Scuseria; M. Ernzerhof", _JCP, 2003, "118", "8207",
                       "10.1063/1.1564060"),),
}
"""By the name in small letters, without hyphens and underscores."""
DISPERSION: Mapping[str, tuple[Reference, ...]] = {
    "d3bj": (_article("D3", "S. Grimme; J. Antony; S. Ehrlich; H. Krieg", _JCP, 2010, "132", "154104",
                      "10.1063/1.3382344"),
             _article("BJ damping", "S. Grimme; S. Ehrlich; L. Goerigk", "J. Comput. Chem.", 2011, "32", "1456",
                      "10.1002/jcc.21759")),
    "d4": (_article("D4", "E. Caldeweyher; S. Ehlert; A. Hansen; H. Neugebauer; S. Spicher; C. Bannwarth; S. Grimme",
                    _JCP, 2019, "150", "154122", "10.1063/1.5090222"),),
}
BASIS_SETS: Mapping[str, tuple[Reference, ...]] = {
    "lanl2": (_article("LANL2, outer cores", "P. J. Hay; W. R. Wadt", _JCP, 1985, "82", "270", "10.1063/1.448799"),
              _article("LANL2, main group", "W. R. Wadt; P. J. Hay", _JCP, 1985, "82", "284", "10.1063/1.448800"),
              _article("LANL2, small cores", "P. J. Hay; W. R. Wadt", _JCP, 1985, "82", "299", "10.1063/1.448975")),
    "def2": (_article("def2 basis sets", "F. Weigend; R. Ahlrichs", "Phys. Chem. Chem. Phys.", 2005, "7", "3297",
                      "10.1039/b508541a"),),
    "cc-p": (_article("correlation-consistent basis sets", "T. H. Dunning", _JCP, 1989, "90", "1007",
                      "10.1063/1.456153"),),
    "sto-": (_article("STO-nG", "W. J. Hehre; R. F. Stewart; J. A. Pople", _JCP, 1969, "51", "2657",
                      "10.1063/1.1672392"),),
    "6-31": (_article("6-31G", "W. J. Hehre; R. Ditchfield; J. A. Pople", _JCP, 1972, "56", "2257",
                      "10.1063/1.1677527"),
             _article("6-31G polarisation", "P. C. Hariharan; J. A. Pople", "Theor. Chim. Acta", 1973, "28", "213",
                      "10.1007/BF00533485")),
}
"""By how the name of the basis set begins, in small letters."""
FITTING: Mapping[str, Reference] = {
    "def2-universal-jfit": _article("Coulomb fitting", "F. Weigend", "Phys. Chem. Chem. Phys.", 2006, "8", "1057",
                                    "10.1039/b515623h"),
    "def2-universal-jkfit": _article("Coulomb and exchange fitting", "F. Weigend", "J. Comput. Chem.", 2008, "29",
                                     "167", "10.1002/jcc.20702"),
}
SOLVENT_MODELS: Mapping[str, Reference] = {
    "iefpcm": _article("IEF-PCM", "E. Cancès; B. Mennucci; J. Tomasi", _JCP, 1997, "107", "3032", "10.1063/1.474659"),
    "cpcm": _article("C-PCM", "V. Barone; M. Cossi", "J. Phys. Chem. A", 1998, "102", "1995", "10.1021/jp9716997"),
    "smd": _article("SMD", "A. V. Marenich; C. J. Cramer; D. G. Truhlar", "J. Phys. Chem. B", 2009, "113", "6378",
                    "10.1021/jp810292n"),
}
ONIOM = _article("ONIOM", "S. Dapprich; I. Komáromi; K. S. Byun; K. Morokuma; M. J. Frisch",
                 "J. Mol. Struct. THEOCHEM", 1999, "461-462", "1", "10.1016/S0166-1280(98)00475-8")
HIRSHFELD = _article("Hirshfeld charges", "F. L. Hirshfeld", "Theor. Chim. Acta", 1977, "44", "129",
                     "10.1007/BF00549096")
CLIMBING_IMAGE = _article("climbing image", "G. Henkelman; B. P. Uberuaga; H. Jónsson", _JCP, 2000, "113", "9901",
                          "10.1063/1.1329672")
# fmt: on


def functional(name: str) -> tuple[Reference, ...]:
    """Return what to cite for a functional; nothing where none is known here."""
    return FUNCTIONALS.get("".join(letter for letter in name.lower() if letter.isalnum()), ())


def basis_set(name: str) -> tuple[Reference, ...]:
    """Return what to cite for a basis set; nothing where none is known here."""
    return next((found for start, found in BASIS_SETS.items() if name.lower().startswith(start)), ())
