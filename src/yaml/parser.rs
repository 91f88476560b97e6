//! A safe face for libyaml's parser, which is also the one behind Ansible: what it accepts is what they accept.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use libyaml_rs as sys;

/// Something that the parser saw, and the bytes it stands at.
pub(super) struct Event {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

pub(super) enum Kind {
    Scalar {
        text: String,
        style: Style,
        anchor: Option<String>,
        tag: Option<String>,
    },
    ListStart {
        flow: bool,
        anchor: Option<String>,
        tag: Option<String>,
    },
    MapStart {
        flow: bool,
        anchor: Option<String>,
        tag: Option<String>,
    },
    CollectionEnd,
    Alias(String),
    DocumentStart,
    StreamEnd,
    /// Nothing that matters here.
    Other,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

/// Why a text is no YAML.
pub(super) struct Complaint {
    pub problem: String,
    pub at: usize,
    /// What was being read, and where that began.
    pub context: String,
    pub context_at: usize,
}

/// Events of one text.
pub(super) struct Parser<'t> {
    // The parser keeps a pointer to itself, so it stays where it is.
    sys: Box<MaybeUninit<sys::yaml_parser_t>>,
    text: PhantomData<&'t str>,
}

impl<'t> Parser<'t> {
    pub fn new(text: &'t str) -> Self {
        let mut sys = Box::new(MaybeUninit::<sys::yaml_parser_t>::zeroed());
        let parser = sys.as_mut_ptr();
        // SAFETY: the parser is initialised before anything else is done with it, its memory does not move while the
        // box lives, and `text` outlives it by the lifetime. (Initialising fails only where no memory is left, which
        // aborts.)
        unsafe {
            let _ = sys::yaml_parser_initialize(parser);
            sys::yaml_parser_set_encoding(parser, sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(parser, text.as_ptr(), text.len() as u64);
        }
        Parser { sys, text: PhantomData }
    }

    pub fn next(&mut self) -> Result<Event, Complaint> {
        let parser = self.sys.as_mut_ptr();
        let mut event = MaybeUninit::<sys::yaml_event_t>::zeroed();
        // SAFETY: the parser is initialised. An event is read only after it was filled, and given back once.
        unsafe {
            if sys::yaml_parser_parse(parser, event.as_mut_ptr()).fail {
                return Err(complaint(&*parser));
            }
            let found = convert(&*event.as_ptr());
            sys::yaml_event_delete(event.as_mut_ptr());
            Ok(found)
        }
    }
}

impl Drop for Parser<'_> {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and this is its end.
        unsafe { sys::yaml_parser_delete(self.sys.as_mut_ptr()) }
    }
}

/// SAFETY: `event` was filled by the parser.
unsafe fn convert(event: &sys::yaml_event_t) -> Event {
    // SAFETY: the type says which member of the union is filled; its pointers are null or terminated text, except for
    // a scalar's value, which has a length.
    let kind = unsafe {
        match event.type_ {
            sys::YAML_SCALAR_EVENT => {
                let scalar = &event.data.scalar;
                let bytes = std::slice::from_raw_parts(scalar.value, scalar.length as usize);
                Kind::Scalar {
                    text: String::from_utf8_lossy(bytes).into_owned(),
                    style: match scalar.style {
                        sys::YAML_LITERAL_SCALAR_STYLE | sys::YAML_FOLDED_SCALAR_STYLE => Style::Block,
                        sys::YAML_SINGLE_QUOTED_SCALAR_STYLE | sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE => Style::Quoted,
                        _ => Style::Plain,
                    },
                    anchor: text(scalar.anchor.cast()),
                    tag: text(scalar.tag.cast()),
                }
            }
            sys::YAML_SEQUENCE_START_EVENT => {
                let list = &event.data.sequence_start;
                let flow = list.style == sys::YAML_FLOW_SEQUENCE_STYLE;
                Kind::ListStart { flow, anchor: text(list.anchor.cast()), tag: text(list.tag.cast()) }
            }
            sys::YAML_MAPPING_START_EVENT => {
                let map = &event.data.mapping_start;
                let flow = map.style == sys::YAML_FLOW_MAPPING_STYLE;
                Kind::MapStart { flow, anchor: text(map.anchor.cast()), tag: text(map.tag.cast()) }
            }
            sys::YAML_SEQUENCE_END_EVENT | sys::YAML_MAPPING_END_EVENT => Kind::CollectionEnd,
            sys::YAML_ALIAS_EVENT => Kind::Alias(text(event.data.alias.anchor.cast()).unwrap_or_default()),
            sys::YAML_DOCUMENT_START_EVENT => Kind::DocumentStart,
            sys::YAML_STREAM_END_EVENT => Kind::StreamEnd,
            _ => Kind::Other,
        }
    };
    Event { kind, start: event.start_mark.index as usize, end: event.end_mark.index as usize }
}

/// SAFETY: the pointers in `parser` are null or terminated text.
unsafe fn complaint(parser: &sys::yaml_parser_t) -> Complaint {
    // The reader of characters counts in its own way.
    let reader = parser.error == sys::YAML_READER_ERROR;
    let at = if reader { parser.problem_offset } else { parser.problem_mark.index };
    // SAFETY: as above.
    let (problem, context) = unsafe { (text(parser.problem.cast()), text(parser.context.cast())) };
    Complaint {
        problem: problem.unwrap_or_default(),
        at: at as usize,
        context: context.unwrap_or_default(),
        context_at: parser.context_mark.index as usize,
    }
}

/// SAFETY: `pointer` is null or terminated text.
unsafe fn text(pointer: *const std::ffi::c_char) -> Option<String> {
    // SAFETY: as above.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
