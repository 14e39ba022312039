-- An operator who asks why purchases fail wants the questions without an answer, which are few among those with one. Rows of answers are not in it.
CREATE INDEX merchant_question_unanswered ON merchant_question (merchant_id, consume_no) WHERE verdict NOT IN ('approved', 'declined');
