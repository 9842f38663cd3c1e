//! Forms with files (`multipart/form-data`), as far as the sandbox takes them.

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) data: Vec<u8>,
}

/// Reads a form; `None` when it is none.
pub(super) fn parse(content_type: &str, body: &[u8]) -> Option<Vec<Field>> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary").filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("--{boundary}").into_bytes();
    let mut rest = body.get(find(body, &delimiter)? + delimiter.len()..)?;
    let inner = [b"\r\n".as_slice(), &delimiter].concat();
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, &inner)?;
        fields.push(field(&part[..end])?);
        rest = &part[end + inner.len()..];
    }
    Some(fields)
}

fn field(part: &[u8]) -> Option<Field> {
    let head_end = find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..head_end]);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then(|| value.to_owned())
    })?;
    Some(Field {
        name: parameter(&disposition, "name")?,
        file_name: parameter(&disposition, "filename"),
        data: part[head_end + 4..].to_vec(),
    })
}

/// The value of `name=value` or `name="value"` among parameters.
fn parameter(text: &str, name: &str) -> Option<String> {
    text.split(';').find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        let value = value.trim().trim_matches('"');
        known.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=x7";

    fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, file, data) in fields {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            body.extend(format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: application/octet-stream\r\n\r\n").into_bytes());
            body.extend(*data);
            body.extend(b"\r\n");
        }
        body.extend(b"--x7--\r\n");
        body
    }

    proptest! {
        #[test]
        fn fields_come_back_as_they_were_put_in(data in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assume!(find(&data, b"--x7").is_none());
            let fields = parse(TYPE, &form(&[("file", Some("a.bin"), &data), ("arguments", None, b"LWE=")])).unwrap();
            prop_assert_eq!(&fields[0].data, &data);
            prop_assert_eq!((fields[0].name.as_str(), fields[0].file_name.as_deref()), ("file", Some("a.bin")));
            prop_assert_eq!(fields[1].data.as_slice(), b"LWE=");
        }

        #[test]
        fn any_bytes_are_a_form_or_none(kind in "\\PC{0,30}", body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&kind, &body);
            let _ = parse(TYPE, &[b"--x7".as_slice(), &body].concat());
        }
    }

    #[test]
    fn what_is_no_form_is_none() {
        let body = form(&[("file", None, b"x")]);
        for kind in
            ["application/json", "multipart/form-data", "multipart/form-data; boundary=other"]
        {
            assert_eq!(parse(kind, &body), None, "{kind}");
        }
        assert_eq!(parse(TYPE, &body[..body.len() - 8]), None, "without its end");
    }
}
