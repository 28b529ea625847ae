"""What the pages with forms on them refuse, in Bahasa Indonesia."""

from __future__ import annotations

from collections.abc import Mapping

from vcmon.config.tokens import Role
from vcmon.model.memory import Deed

REFUSED = "Tidak dapat dilakukan"
FOREIGN = "Formulir ini tidak dikirim dari halaman pemantau ini. Buka halamannya dan coba lagi."
OLD = "Formulir ini sudah tidak berlaku. Muat ulang halamannya dan coba lagi."
UNREADABLE = "Isian formulir tidak dapat dibaca."

WRONG = "Nama atau kata sandi salah."
WAIT = "Terlalu banyak kata sandi salah. Coba lagi dalam {seconds} detik."
LATER = "Sekarang tidak dapat diperiksa. Coba lagi sebentar lagi."
FIRST = "Masuk dahulu, lalu coba lagi."
LOOKING = "Peran Anda hanya melihat. Untuk ini perlu peran operator."

NO_INCIDENT = "Tidak ada gangguan bernomor ini."
NO_WINDOW = "Tidak ada pemeliharaan bernomor ini."
NO_TEXT = "Catatannya belum diisi."
NO_CAUSE = "Penyebabnya belum dipilih."
GOES_ON = "Gangguan ini masih berlangsung, jadi belum dapat ditutup."
LATE = "Waktu mulainya sudah lewat. Pemeliharaan direncanakan sebelum dimulai."
NOT_SAVED = "Tidak disimpan. {why}"

ROLES: Mapping[Role, str] = {Role.VIEWER: "hanya melihat", Role.OPERATOR: "operator"}

DONE: Mapping[Deed, str] = {
    Deed.ACK: "Pengakuan disimpan.",
    Deed.NOTE: "Catatan disimpan.",
    Deed.CAUSE: "Penyebab disimpan.",
    Deed.CLOSE: "Gangguan ditutup.",
}
"""What a page says after a deed."""

PLANNED = "Pemeliharaan disimpan."
ENDED = "Pemeliharaan diakhiri."
