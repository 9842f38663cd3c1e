//! What to do by hand, step by step: where nobody may publish, and for an update, for which there is no link.
//!
//! Names of buttons are those of CloudFormation's console in either language.

use super::Publication;
use super::variant::Variant;

/// The language of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locale {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

/// Where a template is.
#[derive(Debug, Clone, Copy)]
pub enum TemplateSource<'a> {
    /// In S3.
    Published(&'a Publication, Variant),
    /// In a file of this name on somebody's machine.
    File(&'a str),
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub enum Task<'a> {
    /// Putting the client's code where Lambda can take it, when nothing was published.
    PlaceCode {
        /// The region of the stack.
        region: &'a str,
        /// The key that its template names: [`Publication::code_key`].
        key: &'a str,
    },
    /// Letting a bucket that is there tell EventBridge of its new objects. Without it, or the trail's topic, a stack
    /// for an existing bucket hears nothing.
    LetBucketTell {
        /// The bucket.
        bucket: &'a str,
    },
    /// Making a stack.
    Create {
        /// Its region.
        region: &'a str,
        /// Its name.
        stack_name: &'a str,
        /// Its template.
        template: TemplateSource<'a>,
        /// What to fill in: [`super::LinkRequest::parameters`].
        parameters: &'a [(&'a str, &'a str)],
    },
    /// Bringing a stack to another version, in place.
    Update {
        /// Its region.
        region: &'a str,
        /// Its name.
        stack_name: &'a str,
        /// The new template.
        template: TemplateSource<'a>,
    },
}

/// The steps of a task.
pub fn click_path(locale: Locale, task: &Task<'_>) -> Vec<String> {
    match locale {
        Locale::English => english(task),
        Locale::Japanese => japanese(task),
    }
}

/// The same update by AWS's command line, which keeps the values of all parameters and takes it for a success when
/// nothing has changed.
pub fn update_command(region: &str, stack_name: &str, template: TemplateSource<'_>) -> String {
    let deploy = |file: &str| {
        format!(
            "aws cloudformation deploy --region {region} --stack-name {stack_name} --template-file {file} \
             --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset"
        )
    };
    match template {
        TemplateSource::File(file) => deploy(file),
        TemplateSource::Published(publication, variant) => {
            let (bucket, key) = (&publication.bucket, publication.template_key(variant));
            let file = format!("{}.json", variant.name());
            let region = &publication.region;
            format!("aws s3 cp --region {region} s3://{bucket}/{key} {file}\n{}", deploy(&file))
        }
    }
}

fn english(task: &Task<'_>) -> Vec<String> {
    match task {
        Task::PlaceCode { region, key } => vec![
            format!("Open S3 in the account of the stack and choose a bucket in {region}, or create one."),
            format!("Upload the client's bootstrap.zip so that its key is exactly {key}."),
            "Note the bucket's name: the stack asks for it as CodeBucket.".to_owned(),
        ],
        Task::LetBucketTell { bucket } => vec![
            format!("Open S3 and the bucket {bucket}."),
            "On the tab \"Properties\" find \"Amazon EventBridge\" and choose \"Edit\".".to_owned(),
            "Choose \"On\" and save; other notifications of the bucket stay as they are.".to_owned(),
        ],
        Task::Create { region, stack_name, template, parameters } => {
            let mut steps = vec![
                format!("Open CloudFormation in the region {region}."),
                "Choose \"Create stack\", then \"With new resources (standard)\".".to_owned(),
                english_template(*template),
                format!("Enter {stack_name} as the stack name."),
            ];
            let parameters = parameters.iter();
            steps.extend(parameters.map(|(name, value)| format!("Enter {value} for {name}.")));
            steps.extend([
                "Choose \"Next\" until the page \"Review and create\".".to_owned(),
                "Tick that CloudFormation might create IAM resources.".to_owned(),
                "Choose \"Submit\" and wait for CREATE_COMPLETE.".to_owned(),
            ]);
            steps
        }
        Task::Update { region, stack_name, template } => vec![
            format!("Open CloudFormation in the region {region} and choose the stack {stack_name}."),
            "Choose \"Update stack\", then \"Make a direct update\", then \"Replace existing template\"."
                .to_owned(),
            english_template(*template),
            "Leave every parameter as it is.".to_owned(),
            "On the last page check in the change set that no resource says \"Replacement: True\"."
                .to_owned(),
            "Tick that CloudFormation might create IAM resources.".to_owned(),
            "Choose \"Submit\" and wait for UPDATE_COMPLETE.".to_owned(),
        ],
    }
}

fn english_template(template: TemplateSource<'_>) -> String {
    match template {
        TemplateSource::Published(publication, variant) => {
            let url = publication.template_url(variant);
            format!("Choose \"Amazon S3 URL\", enter {url} and choose \"Next\".")
        }
        TemplateSource::File(file) => {
            format!("Choose \"Upload a template file\", take {file} and choose \"Next\".")
        }
    }
}

fn japanese(task: &Task<'_>) -> Vec<String> {
    match task {
        Task::PlaceCode { region, key } => vec![
            format!("スタックを置くアカウントで S3 を開き、{region} のバケットを選ぶか、新しく作成します。"),
            format!("クライアントの bootstrap.zip を、キーがちょうど {key} になるようにアップロードします。"),
            "バケット名を控えます。スタックのパラメータ CodeBucket に入力します。".to_owned(),
        ],
        Task::LetBucketTell { bucket } => vec![
            format!("S3 でバケット {bucket} を開きます。"),
            "「プロパティ」タブの「Amazon EventBridge」で「編集」を選びます。".to_owned(),
            "「オン」を選んで保存します。バケットのほかの通知はそのまま残ります。".to_owned(),
        ],
        Task::Create { region, stack_name, template, parameters } => {
            let mut steps = vec![
                format!("リージョン {region} で CloudFormation を開きます。"),
                "「スタックの作成」から「新しいリソースを使用 (標準)」を選びます。".to_owned(),
                japanese_template(*template),
                format!("スタック名に {stack_name} を入力します。"),
            ];
            let parameters = parameters.iter();
            steps.extend(parameters.map(|(name, value)| format!("{name} に {value} を入力します。")));
            steps.extend([
                "「確認して作成」のページまで「次へ」を選びます。".to_owned(),
                "CloudFormation によって IAM リソースが作成される場合があることの承認にチェックを入れます。"
                    .to_owned(),
                "「送信」を選び、CREATE_COMPLETE になるまで待ちます。".to_owned(),
            ]);
            steps
        }
        Task::Update { region, stack_name, template } => vec![
            format!("リージョン {region} で CloudFormation を開き、スタック {stack_name} を選びます。"),
            "「スタックの更新」から「直接更新を実行」、「既存のテンプレートを置き換える」を選びます。".to_owned(),
            japanese_template(*template),
            "パラメータはすべてそのままにします。".to_owned(),
            "最後のページの変更セットで、「置換」が True のリソースがないことを確認します。".to_owned(),
            "CloudFormation によって IAM リソースが作成される場合があることの承認にチェックを入れます。"
                .to_owned(),
            "「送信」を選び、UPDATE_COMPLETE になるまで待ちます。".to_owned(),
        ],
    }
}

fn japanese_template(template: TemplateSource<'_>) -> String {
    match template {
        TemplateSource::Published(publication, variant) => {
            let url = publication.template_url(variant);
            format!("「Amazon S3 URL」を選び、{url} を入力して「次へ」を選びます。")
        }
        TemplateSource::File(file) => {
            format!("「テンプレートファイルのアップロード」で {file} を選び、「次へ」を選びます。")
        }
    }
}
