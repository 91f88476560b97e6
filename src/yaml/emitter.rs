//! A safe face for libyaml's emitter, which is also the one behind Ansible: what it writes is what they write.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use libyaml_rs as sys;

/// How YAML is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Blanks for each level: 2 to 9, anything else means 2.
    pub indent: i32,
    /// Longer lines are folded where they may be.
    pub width: i32,
    /// `---` in front.
    pub start: bool,
    /// `...` at the end.
    pub end: bool,
}

/// How a scalar is written, where its text allows it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ScalarStyle {
    /// Without quotes.
    #[default]
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// Writes one document.
pub struct Emitter {
    // The emitter keeps a pointer to itself and to the output, so both stay where they are.
    sys: Box<MaybeUninit<sys::yaml_emitter_t>>,
    out: Box<Output>,
}

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
}

impl Emitter {
    /// An emitter that has written the start of its document.
    pub fn new(layout: Layout) -> Result<Self, String> {
        let mut sys = Box::new(MaybeUninit::<sys::yaml_emitter_t>::zeroed());
        let mut out = Box::<Output>::default();
        let emitter = sys.as_mut_ptr();
        // SAFETY: the emitter is initialised before anything else is done with it; neither its memory nor that of the
        // output moves while the boxes live, and the handler gets a pointer to the output.
        unsafe {
            let _ = sys::yaml_emitter_initialize(emitter);
            sys::yaml_emitter_set_output(emitter, write, ptr::from_mut(&mut *out).cast());
            sys::yaml_emitter_set_unicode(emitter, true);
            sys::yaml_emitter_set_indent(emitter, layout.indent);
            sys::yaml_emitter_set_width(emitter, layout.width);
        }
        let mut emitter = Emitter { sys, out };
        emitter.emit(|event| unsafe { sys::yaml_stream_start_event_initialize(event, sys::YAML_UTF8_ENCODING).ok })?;
        let none = ptr::null_mut();
        emitter.emit(|event| unsafe {
            sys::yaml_document_start_event_initialize(event, ptr::null_mut(), none, none, !layout.start).ok
        })?;
        Ok(emitter)
    }

    /// SAFETY of `fill`: it initialises the event and reads only what it is given.
    fn emit(&mut self, fill: impl FnOnce(*mut sys::yaml_event_t) -> bool) -> Result<(), String> {
        let mut event = MaybeUninit::<sys::yaml_event_t>::zeroed();
        if !fill(event.as_mut_ptr()) {
            return Err("a text is too long, or no UTF-8".into());
        }
        let emitter = self.sys.as_mut_ptr();
        // SAFETY: the emitter and the event are initialised; the emitter takes the event.
        unsafe {
            if sys::yaml_emitter_emit(emitter, event.as_mut_ptr()).fail {
                let problem = (&*emitter).problem;
                let known = !problem.is_null();
                return Err(match known {
                    true => CStr::from_ptr(problem.cast()).to_string_lossy().into_owned(),
                    false => "the emitter gave up".into(),
                });
            }
        }
        Ok(())
    }

    /// A scalar. `plain` says that it means the same without quotes, `quoted` that it does with quotes.
    pub fn scalar(&mut self, text: &str, plain: bool, quoted: bool, style: ScalarStyle) -> Result<(), String> {
        let style = match style {
            ScalarStyle::Plain => sys::YAML_PLAIN_SCALAR_STYLE,
            ScalarStyle::Single => sys::YAML_SINGLE_QUOTED_SCALAR_STYLE,
            ScalarStyle::Double => sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE,
            ScalarStyle::Literal => sys::YAML_LITERAL_SCALAR_STYLE,
            ScalarStyle::Folded => sys::YAML_FOLDED_SCALAR_STYLE,
        };
        let length = i32::try_from(text.len()).map_err(|_| "a text is too long")?;
        let (anchor, tag) = (ptr::null(), ptr::null());
        self.emit(|event| unsafe {
            sys::yaml_scalar_event_initialize(event, anchor, tag, text.as_ptr(), length, plain, quoted, style).ok
        })
    }

    /// The start of a list: on one line, or an item a line.
    pub fn list(&mut self, flow: bool) -> Result<(), String> {
        let style = if flow { sys::YAML_FLOW_SEQUENCE_STYLE } else { sys::YAML_BLOCK_SEQUENCE_STYLE };
        self.emit(|event| unsafe {
            sys::yaml_sequence_start_event_initialize(event, ptr::null(), ptr::null(), true, style).ok
        })
    }

    /// Its end.
    pub fn list_end(&mut self) -> Result<(), String> {
        self.emit(|event| unsafe { sys::yaml_sequence_end_event_initialize(event).ok })
    }

    /// The start of a mapping.
    pub fn map(&mut self, flow: bool) -> Result<(), String> {
        let style = if flow { sys::YAML_FLOW_MAPPING_STYLE } else { sys::YAML_BLOCK_MAPPING_STYLE };
        self.emit(|event| unsafe {
            sys::yaml_mapping_start_event_initialize(event, ptr::null(), ptr::null(), true, style).ok
        })
    }

    /// Its end.
    pub fn map_end(&mut self) -> Result<(), String> {
        self.emit(|event| unsafe { sys::yaml_mapping_end_event_initialize(event).ok })
    }

    /// Ends the document: the whole text.
    pub fn finish(mut self, layout: Layout) -> Result<String, String> {
        self.emit(|event| unsafe { sys::yaml_document_end_event_initialize(event, !layout.end).ok })?;
        self.emit(|event| unsafe { sys::yaml_stream_end_event_initialize(event).ok })?;
        String::from_utf8(std::mem::take(&mut self.out.bytes)).map_err(|error| error.to_string())
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and this is its end.
        unsafe { sys::yaml_emitter_delete(self.sys.as_mut_ptr()) }
    }
}

/// SAFETY: `data` is the emitter's output, and `buffer` holds `size` bytes.
unsafe fn write(data: *mut c_void, buffer: *mut u8, size: u64) -> i32 {
    // SAFETY: as above.
    unsafe { (*data.cast::<Output>()).bytes.extend_from_slice(std::slice::from_raw_parts(buffer, size as usize)) };
    1
}
