//! Merges the sorted rows of several classes, whose columns differ, by the keys that they begin with.

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt as _;

/// Rows of one class in order.
struct Lane {
    stream: SendableRecordBatchStream,
    head: Option<Head>,
}

struct Head {
    batch: RecordBatch,
    keys: Rows,
    row: usize,
}

/// A row that is due: which lane, its batch, its place there.
pub(crate) struct Due {
    pub(crate) lane: usize,
    pub(crate) batch: RecordBatch,
    pub(crate) row: usize,
}

/// The merged rows.
pub(crate) struct Merge {
    lanes: Vec<Lane>,
    converter: RowConverter,
    keys: usize,
    is_started: bool,
}

impl Merge {
    /// Merges streams whose first columns are the keys, sorted with these options.
    pub(crate) fn new(
        streams: Vec<SendableRecordBatchStream>,
        order: &[SortOptions],
    ) -> Result<Self> {
        let schema = streams.first().map(|stream| stream.schema());
        let fields = order.iter().enumerate().filter_map(|(place, options)| {
            let data_type = schema.as_ref()?.field(place).data_type().clone();
            Some(SortField::new_with_options(data_type, *options))
        });
        let converter = RowConverter::new(fields.collect())?;
        let lanes = streams.into_iter().map(|stream| Lane { stream, head: None }).collect();
        Ok(Self { lanes, converter, keys: order.len(), is_started: false })
    }

    /// The next row in order.
    pub(crate) async fn next(&mut self) -> Result<Option<Due>> {
        if !self.is_started {
            self.is_started = true;
            for lane in 0..self.lanes.len() {
                self.advance(lane).await?;
            }
        }
        let heads = self.lanes.iter().enumerate();
        let ready = heads.filter_map(|(place, lane)| Some((place, lane.head.as_ref()?)));
        let first =
            ready.min_by(|(_, one), (_, two)| one.keys.row(one.row).cmp(&two.keys.row(two.row)));
        let Some((lane, head)) = first else { return Ok(None) };
        let due = Due { lane, batch: head.batch.clone(), row: head.row };
        self.advance(lane).await?;
        Ok(Some(due))
    }

    /// Moves a lane to its next row.
    async fn advance(&mut self, lane: usize) -> Result<()> {
        let lane = &mut self.lanes[lane];
        if let Some(head) = &mut lane.head {
            head.row += 1;
            if head.row < head.batch.num_rows() {
                return Ok(());
            }
        }
        lane.head = None;
        while let Some(batch) = lane.stream.next().await.transpose()? {
            if batch.num_rows() > 0 {
                let keys = self.converter.convert_columns(&batch.columns()[..self.keys])?;
                lane.head = Some(Head { batch, keys, row: 0 });
                break;
            }
        }
        Ok(())
    }
}
