"""EEPROMs of optical modules as portsim wants them: one after another what "ethtool -m" reads."""

HALF = 128


class Eeprom:
    """Halves of 128 bytes by name; bytes are numbered as in the standards, from 128 on in upper halves."""

    # Where a half begins in the file.
    SFP = {"a0": 0, "a2": 256}
    PAGED = {"lower": 0, "00": 1 * HALF, "01": 2 * HALF, "02": 3 * HALF, "03": 4 * HALF, "11": 18 * HALF,
             "11.1": (18 + 16) * HALF, "11.2": (18 + 32) * HALF, "11.3": (18 + 48) * HALF}

    def __init__(self, places, size):
        self.places, self.data = places, bytearray(size)

    def put(self, half, at, *values):
        """Bytes from @at on."""
        start = self.places[half] + at % HALF
        self.data[start:start + len(values)] = bytes(values)

    def put16(self, half, at, *values):
        for i, value in enumerate(values):
            self.put(half, at + 2 * i, *(value & 0xFFFF).to_bytes(2, "big"))

    def text(self, half, at, text, width=16):
        self.put(half, at, *text.ljust(width).encode())

    def seal(self, half, first, last):
        """The checksum of the bytes first to last, behind them."""
        start = self.places[half] - (0 if self.places is self.SFP or half == "lower" else HALF)
        self.put(half, last + 1, sum(self.data[start + first:start + last + 1]) & 0xFF)

    def __bytes__(self):
        return bytes(self.data)


# The first 64 bytes of Finisar's FTLX8571D3BCL (10GBASE-SR).
_SFP_BASE = bytes.fromhex("030407100000000000000006670000000803001e46494e4953415220434f52502e20"
                          "20200000906546544c5838353731443342434c2020204120202003520048")


def sfp(serial="AK10C3X", rx=4906, external=False):
    """An SFP+ at 850 nm; with external calibration, its constants change every value."""
    made = Eeprom(Eeprom.SFP, 512)
    made.put("a0", 0, *_SFP_BASE)
    made.put16("a0", 64, 0x001A)
    made.text("a0", 68, serial)
    made.put("a0", 92, 0x58 if external else 0x68, 0xF0, 0x03)
    made.seal("a0", 64, 94)
    made.put16("a2", 0, 0x4E00, 0xF300, 0x4900, 0xF800, 36000, 30000, 35000, 31000, 8500, 2500, 8000, 3000)
    made.put16("a2", 24, 10000, 1585, 7943, 1995, 12589, 100, 7943, 158)
    made.put16("a2", 56, *([0, 0] * 3), 0x3F80, 0, 0, 0)  # the received power is the raw value
    for at in (76, 80, 84, 88):
        made.put16("a2", at, 0x0100, 0)
    if external:
        made.put16("a2", 68, 0x3F00, 0, 0x4248, 0)  # 0.5 x + 5 uW
        made.put16("a2", 76, 0x0110, 20, 0x0120, -30, 0x00F0, 128, 0x0101, -60)
    made.seal("a2", 0, 94)
    made.put16("a2", 96, 0x1F80, 33012, 3904, 5837, rx)
    return made


def qsfp28(serial="LR4-0001", copper=False):
    """A QSFP28 for 100GBASE-LR4, colder than water; or the cable."""
    made = Eeprom(Eeprom.PAGED, 5 * HALF)
    made.put("lower", 0, 0x11, 0x07)
    if copper:
        made.put("lower", 2, 0x04)
    else:
        made.put16("lower", 22, -384)
        made.put16("lower", 26, 33123)
        made.put16("lower", 34, 8000, 8100, 8200, 8300, 20000, 20001, 20002, 20003, 12000, 12010, 12020, 12030)
    made.put("00", 128, 0x11, 0xCC, 0x07, 0x80)
    made.put("00", 147, 0xA0 if copper else 0x64)
    made.text("00", 148, "EXAMPLE OPTICS")
    made.text("00", 168, "QSFP28-LR4")
    made.put16("00", 186, 26060)
    made.seal("00", 128, 190)
    made.put("00", 192, 0x0B if copper else 0x03)
    made.text("00", 196, serial)
    made.text("00", 212, "240301", 8)
    made.put("00", 220, 0x0C)
    made.seal("00", 192, 222)
    made.put16("03", 176, 35480, 440, 28180, 690)
    made.put16("03", 192, 44670, 1480, 35480, 2340)
    return made


def qsfpdd(serial="DR4-0001", missing=0xF0, banks=1):
    """A QSFP-DD; missing: a bit for each lane of the first eight that it has not. With more banks: 8 lanes each."""
    made = Eeprom(Eeprom.PAGED, (3 + 16 * banks) * HALF)
    made.put("lower", 0, 0x18, 0x40, 0x00, 0x07)
    made.put16("lower", 14, 0x2D40, 32980)
    made.put("lower", 85, 0x02, 0x11, 0x1C, 0x84, 0x01)
    made.put("00", 128, 0x18)
    made.text("00", 129, "EXAMPLE OPTICS")
    made.text("00", 148, "QSFPDD-400G-DR4")
    made.text("00", 166, serial)
    made.text("00", 182, "240301", 8)
    made.put("00", 203, 0x0C)  # MPO
    made.put("00", 210, missing)
    made.put("00", 212, 0x06)  # 1310 nm EML
    made.seal("00", 128, 221)
    made.put16("01", 138, 26220)
    made.put("01", 142, {1: 0, 2: 1, 4: 2}[banks])
    made.put("01", 159, 0x03, 0x07)
    made.seal("01", 130, 254)
    made.put16("02", 176, 39810, 2570, 31620, 3230, 65535, 1000, 65000, 1500, 50120, 1020, 39810, 1620)
    made.seal("02", 128, 254)
    for bank in range(banks):
        half = f"11.{bank}" if bank else "11"
        start = 12000 + 1000 * bank
        made.put16(half, 154, *(start + 10 * i for i in range(8)), *(20000 + 100 * bank + i for i in range(8)),
                   *(start + 5000 + 10 * i for i in range(8)))
    return made
