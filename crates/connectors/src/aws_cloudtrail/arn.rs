//! Names in Amazon's resource names: `arn:aws:iam::111122223333:role/team/Reader`.

/// The account that a resource belongs to.
pub(super) fn account(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// The last part of the path of a resource: its name without kind and folders.
pub(super) fn name(arn: &str) -> Option<&str> {
    let resource = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    let name = resource.rsplit(['/', ':']).next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_name_stand_in_the_middle_and_at_the_end() {
        let arn = "arn:aws-cn:iam::111122223333:role/team/Reader";
        assert_eq!((account(arn), name(arn)), (Some("111122223333"), Some("Reader")));
        let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
        assert_eq!((account(policy), name(policy)), (None, Some("AdministratorAccess")));
        for odd in ["", "Reader", "arn:aws:iam", "arn:aws:iam::111122223333:"] {
            assert_eq!(name(odd), None, "{odd}");
        }
    }
}
