//! Reads archives of all kinds.

use std::io::{self, Cursor, Read};
use std::path::Path;

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::entry::{Entry, Kind};
use crate::failure::Failure;
use crate::system::System;

/// Takes each entry and its content.
pub type Take<'a> = dyn FnMut(Entry, &mut dyn Read) -> Result<(), Failure> + 'a;

/// Hands each entry of an archive to `take`; the name under which Ansible knows the kind of archive.
pub fn each(system: &dyn System, bytes: &[u8], take: &mut Take) -> Result<&'static str, Failure> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        return zip(system, bytes, take).map(|()| "ZipArchive");
    }
    let (reader, handler): (Box<dyn Read + '_>, _) = if starts(&[0x1f, 0x8b]) {
        (Box::new(flate2::read::MultiGzDecoder::new(bytes)), "TgzArchive")
    } else if starts(b"BZh") {
        (Box::new(bzip2::read::MultiBzDecoder::new(bytes)), "TarBzipArchive")
    } else if starts(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        (Box::new(lzma_rust2::XzReader::new(bytes, true)), "TarXzArchive")
    } else if starts(&[0x28, 0xb5, 0x2f, 0xfd]) {
        (Box::new(Frames { rest: Some(bytes), frame: None }), "TarZstdArchive")
    } else if bytes.get(257..262) == Some(b"ustar") || bytes.len().is_multiple_of(512) && !bytes.is_empty() {
        (Box::new(bytes), "TarArchive")
    } else {
        let message = "this is no archive: neither tar (plain, gzip, bzip2, xz, zstd) nor zip";
        return Err(Failure::new(message).argument("src"));
    };
    tar(reader, take).map(|()| handler)
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(format!("the archive is broken: {error}")).argument("src")
}

fn tar(reader: Box<dyn Read + '_>, take: &mut Take) -> Result<(), Failure> {
    let mut archive = tar::Archive::new(reader);
    for file in archive.entries().map_err(|error| broken(&error))? {
        let mut file = file.map_err(|error| broken(&error))?;
        let Some(entry) = tar_entry(&file).map_err(|error| broken(&error))? else { continue };
        let kind = file.header().entry_type();
        if matches!(kind, tar::EntryType::Block | tar::EntryType::Char | tar::EntryType::Fifo) {
            let message = format!("the archive holds `{}`, which is a device or a pipe", entry.name);
            return Err(Failure::new(message).argument("src"));
        }
        take(entry, &mut file)?;
    }
    Ok(())
}

fn tar_entry<R: Read>(file: &tar::Entry<R>) -> io::Result<Option<Entry>> {
    let header = file.header();
    let target = || Ok::<_, io::Error>(file.link_name()?.unwrap_or_default().into_owned());
    let kind = match header.entry_type() {
        tar::EntryType::Directory => Kind::Dir,
        tar::EntryType::Symlink => Kind::Link(target()?),
        tar::EntryType::Link => Kind::Hard(target()?),
        tar::EntryType::XGlobalHeader => return Ok(None),
        _ => Kind::File,
    };
    let name = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let id = |id: io::Result<u64>| id.map(|id| u32::try_from(id).unwrap_or(0));
    Ok(Some(Entry {
        name: file.path()?.to_string_lossy().into_owned(),
        kind,
        mode: Some(header.mode()? & 0o7777),
        mtime: Some(header.mtime()? as f64),
        owner: Some((id(header.uid())?, name(header.username_bytes()))),
        group: Some((id(header.gid())?, name(header.groupname_bytes()))),
        size: file.size(),
    }))
}

fn zip(system: &dyn System, bytes: &[u8], take: &mut Take) -> Result<(), Failure> {
    let broken = |error: zip::result::ZipError| Failure::new(format!("the archive is broken: {error}")).argument("src");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).map_err(broken)?;
        let name = file.name().map_err(broken)?.into_owned();
        let mut kind = if file.is_dir() { Kind::Dir } else { Kind::File };
        if file.is_symlink() {
            let mut target = String::new();
            file.read_to_string(&mut target).map_err(|error| self::broken(&error))?;
            kind = Kind::Link(Path::new(&target).to_owned());
        }
        let mode = file.unix_mode().map(|mode| mode & 0o7777).filter(|mode| *mode != 0);
        let mtime = zip_time(system, &file);
        let entry = Entry { name, kind, mode, mtime, owner: None, group: None, size: file.size() };
        take(entry, &mut file)?;
    }
    Ok(())
}

/// The time of an entry: the exact one if the archive has it, else the one in the machine's own zone.
fn zip_time<R: Read>(system: &dyn System, file: &zip::read::ZipFile<'_, R>) -> Option<f64> {
    let exact = file.extra_data_fields().find_map(|field| match field {
        zip::ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    if let Some(exact) = exact {
        return Some(f64::from(exact));
    }
    let time = file.last_modified()?;
    let small = |number: u8| i8::try_from(number).unwrap_or(0);
    let (hour, minute, second) = (small(time.hour()), small(time.minute()), small(time.second()));
    let year = i16::try_from(time.year()).ok()?;
    let civil =
        jiff::civil::DateTime::new(year, small(time.month()), small(time.day()), hour, minute, second, 0).ok()?;
    Some(system.time_zone().to_timestamp(civil).ok()?.as_second() as f64)
}

/// All frames of zstd, one after the other.
struct Frames<'a> {
    rest: Option<&'a [u8]>,
    frame: Option<StreamingDecoder<&'a [u8], FrameDecoder>>,
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                self.rest = self.frame.take().map(StreamingDecoder::into_inner);
            }
            match self.rest.take() {
                Some(rest) if !rest.is_empty() => {
                    self.frame =
                        Some(StreamingDecoder::new(rest).map_err(|error| io::Error::other(error.to_string()))?);
                }
                _ => return Ok(0),
            }
        }
    }
}
