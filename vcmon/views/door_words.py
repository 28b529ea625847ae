"""What the pages with forms on them refuse, in Bahasa Indonesia."""

from __future__ import annotations

from collections.abc import Mapping

from vcmon.config.tokens import Role
from vcmon.history.remarks import Why
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

WHY: Mapping[Why, str] = {
    Why.NAME: "Nama ini tidak dapat dipakai.",
    Why.LONG: "Isiannya terlalu panjang.",
    Why.NO_TEXT: "Catatannya belum diisi.",
    Why.NO_CAUSE: "Penyebabnya belum dipilih.",
    Why.MISPLACED: "Penyebab atau tiket tidak termasuk dalam tindakan ini.",
    Why.MERGED: "Gangguan ini menjadi bagian dari gangguan lain. Tindaklah di sana.",
    Why.FULL: "Sudah terlalu banyak, tidak dapat ditambah lagi.",
    Why.GOES_ON: "Gangguan ini masih berlangsung, jadi belum dapat ditutup.",
    Why.LATE: "Waktu mulainya sudah lewat. Pemeliharaan direncanakan sebelum dimulai.",
    Why.NEVER: "Berulang: aturan ini tidak pernah terjadi lagi.",
    Why.OVER: "Pemeliharaan ini sudah berakhir.",
    Why.NOT_SEATED: "Provinsi ini tidak ada dalam daftar peserta.",
    Why.NOT_NOW: "Kehadiran dicatat dari sehari sebelum sampai sehari sesudah rapat.",
    Why.TAKEN: "Sudah ada rapat dengan nama ini. Beri nama lain.",
    Why.PAST: "Waktu mulainya sudah lewat, atau lebih dari setahun lagi.",
    Why.LENGTH: "Lama rapat: 1m sampai 1d.",
    Why.CALLED_OFF: "Rapat ini sudah dibatalkan.",
    Why.BEGUN: "Rapat ini sudah dimulai; yang sudah terjadi tidak diubah.",
}
"""Why a deed is refused."""

FIELDS: Mapping[str, str] = {
    "deed": "Tindakan ini tidak dikenal.",
    "text": "Catatan: paling banyak {note} huruf.",
    "ticket": "Nomor tiket: paling banyak {ticket} huruf.",
    "cause": "Penyebab: pilih salah satu dari daftar.",
    "scope": "Untuk: tulis province:, endpoint:, provider:, atau island:, lalu nama yang dikenal.",
    "title": "Pekerjaan atau judul: tulis beberapa kata, paling banyak 200 huruf.",
    "start": "Mulai: tulis tanggal dan jam setempat, seperti 2026-11-22 22:00.",
    "zone": "Zona waktu: pilih WIB, WITA, atau WIT.",
    "duration": "Lama: tulis angka dan satuannya, seperti 30m, 4h, atau 2d; {low} sampai {high}.",
    "required": "Wajib: tulis nama provinsi seperti aceh, dipisahkan spasi, atau all.",
    "optional": "Opsional: tulis nama provinsi seperti aceh, dipisahkan spasi, atau kosongkan.",
    "room": "Ruang: pilih salah satu dari daftar.",
    "organiser": "Penyelenggara: paling banyak 200 huruf.",
    "province": "Provinsi ini tidak dikenal.",
    "presence": "Kehadiran: pilih salah satu dari daftar.",
    "officer": "Petugas: paling banyak 80 huruf.",
    "note": "Keterangan: paling banyak 300 huruf.",
    "repeat": "Berulang: tulis aturan RFC 5545, seperti FREQ=WEEKLY;BYDAY=SU, atau kosongkan.",
}
"""What is expected in a field that holds something else."""
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
